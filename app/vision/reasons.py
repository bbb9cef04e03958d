"""What reason ids mean to people: id -> (Chinese, English). Needs no image library."""

from __future__ import annotations

# Against a picture: what the person in front of the camera can do.
QUALITY: dict[str, tuple[str, str]] = {
    "no_face": (
        "没有找到人脸：请正对摄像头，让整张脸进入画面。",
        "No face was found: face the camera with your whole face in the picture.",
    ),
    "several_faces": (
        "画面里不止一张脸：请让其他人离开画面。",
        "More than one face is in the picture: ask the others to step out of it.",
    ),
    "face_too_small": (
        "人脸太小：请靠近摄像头。",
        "The face is too small: move closer to the camera.",
    ),
    "face_cut_off": (
        "人脸超出画面：请坐到画面中间。",
        "The face is cut off: move to the middle of the picture.",
    ),
    "blurred": (
        "画面模糊：请擦净镜头，坐稳后再拍。",
        "The picture is blurred: wipe the lens and hold still.",
    ),
    "too_dark": (
        "光线太暗：请开灯，或让光照在脸上。",
        "It is too dark: switch on a light or turn towards one.",
    ),
    "too_bright": (
        "光线太亮：请避开直射的强光。",
        "It is too bright: move out of the direct light.",
    ),
    "low_contrast": (
        "脸部看不清：请不要背对窗户或灯光。",
        "The face has no contrast: do not sit with your back to a window or lamp.",
    ),
    "turned_away": (
        "脸没有朝向摄像头：请正对摄像头。",
        "The face is turned away: look straight at the camera.",
    ),
    "tilted": (
        "头部倾斜：请把头摆正。",
        "The head is tilted: hold it upright.",
    ),
}

# Of a judged burst.
LIVENESS: dict[str, tuple[str, str]] = {
    "turns_followed": ("按要求完成了动作", "All actions were done as asked"),
    "turn_not_seen": ("没有看到要求的转头动作", "A turn that was asked for was not seen"),
    "turned_the_other_way": ("转头方向与要求相反", "The head turned the other way"),
    "move_not_seen": (
        "没有看到要求的靠近或远离动作",
        "The face was asked to come nearer or to go farther, and did not",
    ),
    "turn_too_slow": ("动作超过规定时间", "An action took longer than allowed"),
    "turn_too_early": ("动作早于人的反应时间", "The head moved sooner than a person reacts"),
    "flat_turn": (
        "转头时像一张平面照片，没有立体的变化",
        "What turned looks like a flat picture: the nose does not move as a head's does",
    ),
    "known_picture": ("画面与以前的照片相同", "A frame is a photograph that was seen before"),
    "too_few_frames": ("收到的画面少于要求的张数", "Fewer frames came than were asked for"),
    "too_fast": (
        "画面到达得太快或集中在一刻",
        "The frames arrived too fast, or all at one moment",
    ),
    "too_few_turns_asked": ("本次质询的转头动作不足两个", "Fewer than two turns were asked for"),
    "too_few_faces": ("能看清人脸的画面太少", "Too few frames show a face"),
    "several_faces": ("画面中出现多张人脸", "More than one face was in the picture"),
    "face_changed": ("动作过程中人脸发生变化", "The face changed during the challenge"),
    "frame_outside_window": (
        "画面不在质询时间内收到",
        "A frame arrived outside the challenge's time",
    ),
    "frozen_feed": ("画面静止不动", "Nothing in the picture moves"),
    "looped_clip": ("画面循环播放", "The same clip is shown again"),
    "attack_model": ("防伪模型判断为翻拍", "The anti-spoofing model sees an attack"),
}
