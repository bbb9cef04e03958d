/** What a learner reads, Chinese first: [Chinese, English]. */

export const title = ["登记人脸照片", "Enrol your face"];
export const intro = [
  "要拍五张不同的照片，约两分钟。照片只用于核对是您本人在学习，加密保存，期满删除；不录像，不录音。",
  "Five different photos, about two minutes. They only serve to recognise you, are stored encrypted and deleted after their term. No video, no sound.",
];
export const before = [
  "请一个人到亮的地方，摘下口罩、墨镜和帽子。",
  "Be alone in a bright place; take off mask, dark glasses and hat.",
];
export const begin = ["开始拍照", "Begin"];
export const shoot = ["拍照", "Take the photo"];
export const again = ["再拍一张", "Take it again"];
export const resend = ["重新发送", "Send again"];
export const skip = ["做不到，跳过这一张", "Skip"];
export const more = ["补拍缺的照片", "Take what is missing"];
export const finish = ["完成", "Done"];
export const checking = ["正在检查，请稍等…", "Checking …"];
export const good = ["这一张合格", "This one is good"];
export const starting = ["正在打开摄像头…", "Opening the camera …"];
export const preview = ["摄像头画面", "What the camera sees"];
export const dark = [
  "光线偏暗，屏幕已变亮补光。请再开一盏灯，或面向窗户。",
  "It is dark, so the screen lights up. Switch on a light, or face a window.",
];

/** Of each step: its short name, and what to do. */
export const steps = {
  straight: [["正面", "Straight"], ["请正对镜头，脸放进圆框里", "Face the camera, your face in the oval"]],
  left: [["向左", "Left"], ["请把头稍微转向自己的左边", "Turn your head a little to your left"]],
  right: [["向右", "Right"], ["请把头稍微转向自己的右边", "Turn your head a little to your right"]],
  nearer: [["靠近", "Nearer"], ["请再靠近一点，让脸更大", "Come a little nearer"]],
  other_light: [
    ["换光线", "Other light"],
    ["请换个方向，或开灯、关灯，正对镜头", "Turn to other light, or switch a lamp; face the camera"],
  ],
};

export const step_of = (n, all) => [`第${n}张，共${all}张`, `Photo ${n} of ${all}`];
export const enrolled = (n, all) => [`已登记${n}张，需要${all}张`, `${n} of ${all} photos enrolled`];
export const whole = [
  "照片齐了，谢谢。可以关闭本页，回去学习。",
  "All photos are there, thank you. You may close this page.",
];
export const fewer = [
  "照片不足五张也能用，但比对把握较低，可能要多请人核对几次。",
  "Fewer than five will do, but comparisons are less sure, and people may have to look more often.",
];
export const missing = (names) => [`还缺：${names[0].join("、")}`, `Missing: ${names[1].join(", ")}`];
export const done = ["已结束，可以关闭本页。", "This is over; you may close the page."];

const in_person = "也可以请培训机构当面为您登记。";
const or_in_person = "Or ask your training institution to enrol you in person.";
export const trouble = {
  over: [
    "这个链接已过期，或不是给您的。请回到学习平台重新打开登记页。",
    "This link is over, or not yours. Open the enrolment anew from your learning platform.",
  ],
  consent: [
    `没有您同意人脸核对的记录，所以不能拍照。请先与培训机构确认。${in_person}`,
    `There is no record of your consent, so no photo is taken. Ask your training institution. ${or_in_person}`,
  ],
  denied: [
    `浏览器没有得到使用摄像头的许可。请在浏览器设置里允许，再试一次。${in_person}`,
    `The browser may not use the camera. Allow it in its settings and try again. ${or_in_person}`,
  ],
  absent: [
    `没有找到能用的摄像头。请关掉别的拍照软件，或换一部手机打开这个链接。${in_person}`,
    `No camera can be used. Close other camera apps, or open this link on another phone. ${or_in_person}`,
  ],
  insecure: [
    `这个浏览器不能用摄像头。请用手机自带的浏览器打开这个链接。${in_person}`,
    `This browser has no camera. Open the link in the browser that came with your phone. ${or_in_person}`,
  ],
  network: [
    "网络不通或服务忙，照片没有送到。请稍等再发一次。",
    "No connection, or the service is busy: the photo did not arrive. Wait a little and send it again.",
  ],
  unknown: ["照片没有被接受，请再拍一张。", "The photo was not taken in; take another."],
};
export const retry = ["再试一次", "Try again"];
