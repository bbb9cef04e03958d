/** What a learner reads. Chinese first; a platform may replace any sentence. */

export const zh = {
  popup_title: "请确认您正在学习",
  popup_text: "请在规定时间内点击下面的按钮，超时将停止计时。",
  popup_confirm: "我在学习",
  popup_again: "上一题没有答对，请再答。",
  popup_left: (seconds) => `剩余 ${seconds} 秒`,
  camera_title: "需要使用摄像头",
  camera_text:
    "为核实是您本人在学习，本课程会在开始时和随机时刻用摄像头拍照。照片只用于核对本人和培训监管，加密保存，期满删除。" +
    "摄像头只在拍照的几秒钟内打开，不录像、不录音。您可以不同意：学习不会中断，但没有比对的学时可能不被认定，请与培训机构商定其他核实方式。",
  camera_agree: "同意并继续",
  camera_refuse: "不同意",
  photo_now: "正在随机拍照，请正对摄像头。",
  face_title: "请正对摄像头",
  face_front: "请正对摄像头，保持不动",
  face_again: (why) => `上一次没有通过。${why}`,
  turn_left: "请向左转头，停一下，再转回来",
  turn_right: "请向右转头，停一下，再转回来",
  camera_missing:
    "摄像头打不开，本次没有拍到照片。请检查摄像头和浏览器权限；仍打不开，请找培训机构当面核对并登记，不会因此算您违规。",
  idle: (minutes) => `已有 ${minutes} 分钟没有操作。请动一下鼠标或点一下屏幕，否则接下来的时间不计入学时。`,
  player_sealed: "读不到本页的播放器，现在播放的内容不计入学时。请联系学习平台。",
  opening: "正在连接学习监管服务…",
  offline: "网络不通，正在重试。学习记录保存在本机，恢复后会自动补报。",
  stopped_title: "学习计时已停止",
  concurrent_session: "您正在另一个窗口、设备或平台上学习。请先关闭那一处，再在这里继续。",
  lesson_locked: "请先学完前面的课，再学这一课。",
  refused: "现在不能开始学习，请稍后重试，或联系培训机构。",
  popup_unanswered: "弹窗未在规定时间内应答，本次学习已停止计时。",
  superseded: "您已在另一个窗口或设备上开始学习，本窗口已停止计时。",
  closed: "本次学习已结束。",
  expired: "长时间未收到学习数据，本次学习已自动结束。",
  again: "继续学习",
};

export const en = {
  popup_title: "Are you still studying?",
  popup_text: "Press the button in time; otherwise your learning time stops.",
  popup_confirm: "I am studying",
  popup_again: "That was not right. Please answer again. ",
  popup_left: (seconds) => `${seconds} seconds left`,
  camera_title: "The camera is needed",
  camera_text:
    "To verify that it is you who studies, photos are taken at the start and at random moments. They serve to " +
    "recognise you and to supervise the training, are stored encrypted, and deleted after their term. The camera is " +
    "on only for the seconds of a photo; no video, no sound. You may refuse: the lesson goes on, but time " +
    "without a comparison may not be recognised; agree on another way with your training institution.",
  camera_agree: "Agree and continue",
  camera_refuse: "Refuse",
  photo_now: "A random photo is being taken. Please face the camera.",
  face_title: "Please face the camera",
  face_front: "Face the camera and hold still",
  face_again: (why) => `The last check did not pass. ${why}`,
  turn_left: "Turn your head to your left, hold, and turn back",
  turn_right: "Turn your head to your right, hold, and turn back",
  camera_missing:
    "The camera could not be opened, no photo was taken. Check it and the browser's permission; if it stays so, ask " +
    "your training institution to check in person and record it; it is no violation.",
  idle: (minutes) => `Nothing was touched for ${minutes} minutes. Move the mouse or touch the screen, or the time will not count.`,
  player_sealed: "The player of this page cannot be read: what plays now does not count. Please tell the platform.",
  opening: "Connecting …",
  offline: "No connection; trying again. Your record is kept on this device and sent later.",
  stopped_title: "Your learning time has stopped",
  concurrent_session: "You are studying in another window, on another device or platform. Close it first.",
  lesson_locked: "Finish the lessons before this one first.",
  refused: "This lesson cannot start now. Try again later, or ask your training institution.",
  popup_unanswered: "The pop-up was not answered in time; your learning time has stopped.",
  superseded: "You began to study in another window or on another device; this window has stopped.",
  closed: "This sitting is over.",
  expired: "Nothing was received for a long time; this sitting has ended.",
  again: "Go on studying",
};
