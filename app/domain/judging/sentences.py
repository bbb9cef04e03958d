"""One plain sentence for every finding, in Chinese first: what was seen, both numbers, both times.

The sentence is what an auditor reads, what the learner was told, and what a report prints. Times
are Asia/Shanghai. A new reason needs a line here; a test sweeps all reasons of all detectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.clock import at

# (rule, reason) → Chinese, English. {m} measured, {l} limit, {a} start, {b} end; the one of them
# that comes second needs no date on the same day, and capitals are for sentences that name the
# end first. Numbers are printed without needless decimals.
SENTENCES: dict[tuple[str, str], tuple[str, str]] = {
    ("fast_forward", "outran"): (
        "{a}至{b}，播放进度前进了{m}秒，而服务器时间只过去了{l}秒。",
        "From {a} to {b} the content advanced {m} s while only {l} s passed on the server.",
    ),
    ("fast_forward", "jump"): (
        "{a}至{b}，播放进度一次跳过{m}秒未学内容，而服务器时间只过去了{l}秒。",
        "From {a} to {b} the position jumped over {m} s of unseen content within {l} s.",
    ),
    ("fast_forward", "micro_seeks"): (
        "{a}至{b}，通过连续小幅拖动前进了{m}秒内容，而服务器时间只过去了{l}秒。",
        "From {a} to {b} repeated small seeks advanced {m} s of content within {l} s.",
    ),
    ("fast_forward", "completion_claimed"): (
        "{b}报告播放到结尾，其中{m}秒没有播放过，而服务器时间只过去了{l}秒。",
        "At {b} the end was reported as reached over {m} s that were never played, within {l} s.",
    ),
    ("fast_forward", "completion_told"): (
        "平台在{b}报告整节课程（{m}秒）已学完，而全部学习一共只用了{l}秒；报告由平台发出，"
        "已播放的内容照常计入。",
        "At {b} the platform reported the whole lesson ({m} s) as completed after {l} s of study "
        "in all; the report is the platform's, and what was played counts as usual.",
    ),
    ("fast_forward", "repeated_seeks"): (
        "{a}至{b}，向前拖动跳过未学内容{m}次（达到{l}次提请人工复核）。",
        "From {a} to {b} unseen content was skipped {m} times ({l} or more go to review).",
    ),
    ("multi_window", "overlap"): (
        "{a}至{b}，同一人在两个窗口同时学习共{m}秒，超过允许的{l}秒。",
        "From {a} to {b} one person studied in two places at once for {m} s; {l} s are allowed.",
    ),
    ("multi_window", "two_names"): (
        "{a}至{b}，同一证件号码、姓名不同的两个账号同时学习{m}秒（允许{l}秒），可能有一方证件号码录错，"
        "提请人工核对身份。",
        "From {a} to {b} two accounts with one ID number and two names studied at once for {m} s "
        "({l} s are allowed): one number may be wrong, and people check whose it is.",
    ),
    ("multi_window", "possible_overlap"): (
        "{a}至{b}，断网补传的记录与另一窗口重叠{m}秒，重叠部分只计一次，不作违规认定。",
        "From {a} to {b} a delayed record overlaps another window by {m} s; counted once only.",
    ),
    ("popup_gap", "none_issued"): (
        "至{B}，连续学习{m}秒没有出现弹窗管控，超过{l}秒；{A}之后的时间不计入。",
        "Until {B}, {m} s of study passed without any pop-up, more than {l} s; not counted from "
        "{A}.",
    ),
    ("popup_gap", "never_shown"): (
        "至{B}，连续学习{m}秒没有有效弹窗（系统已下发，其间没有显示），超过{l}秒；{A}之后的时间不计入。",
        "Until {B}, {m} s of study without an effective pop-up (issued, not shown meanwhile), more "
        "than {l} s; not counted from {A}.",
    ),
    ("popup_gap", "ignored"): (
        "至{B}，弹窗已显示但没有应答，过了应答时限播放仍未停止，连续学习{m}秒，超过{l}秒；"
        "{A}之后的时间不计入。",
        "Until {B} a pop-up stood there unanswered and play went on past the time to answer it: "
        "{m} s of study, more than {l} s; not counted from {A}.",
    ),
    ("popup_gap", "shown_late"): (
        "弹窗已按时下发，但到{B}才显示，距上次已学习{m}秒，超过{l}秒；{A}之后的时间不计入，不作违规认定。",
        "A pop-up that was issued in time appeared only at {B}, after {m} s of study, more than "
        "{l} s; not counted from {A}; nobody is accused.",
    ),
    ("popup_gap", "offline_past_due"): (
        "断网期间弹窗无法下发，{a}至{b}的学习时间不计入，不作违规认定。",
        "Offline past the due pop-up: {a} to {b} is not counted; nobody is accused.",
    ),
    ("popup_gap", "unanswered_play_stopped"): (
        "弹窗未应答，播放已停止；{a}至{b}的{m}秒不计入，不作违规认定。",
        "The pop-up was not answered and play stopped; {m} s from {a} to {b} are not counted; "
        "nobody is accused.",
    ),
    ("popup_gap", "answered_late"): (
        "弹窗显示{m}秒后才应答；{a}至{b}播放的内容不计入，不作违规认定。",
        "The pop-up was answered {m} s after it appeared; what was played from {a} to {b} is not "
        "counted; nobody is accused.",
    ),
    ("popup_gap", "unanswered"): (
        "自上次应答弹窗起已学习{m}秒，超过{l}秒；{a}至{b}没有应答新的弹窗，不计入，不作违规认定。",
        "{m} s of study since the last answered pop-up, more than {l} s: {a} to {b} is not "
        "counted; nobody is accused.",
    ),
    ("popup_gap", "many_expiries"): (
        "本次学习中有{m}次弹窗超时未应答（达到{l}次提示关注）。",
        "{m} pop-ups of this sitting expired unanswered ({l} or more are noted).",
    ),
    ("face_liveness", "other_person"): (
        "{a}至{b}，抓拍照片与本人参考照片不符（人脸距离{m}，阈值{l}），须由两人复核确认。",
        "From {a} to {b} the photos do not match the enrolled face (distance {m}, threshold {l}); "
        "two reviewers decide.",
    ),
    ("face_liveness", "enrolled_never_seen"): (
        "{a}至{b}的抓拍照片没有一张与参考照片相符（人脸距离{m}，阈值{l}）。"
        "请先核对参考照片是不是学员本人，须由两人复核确认。",
        "From {a} to {b} no photo matches the enrolled face (distance {m}, threshold {l}). Check "
        "first whether the enrolled photo shows the learner; two reviewers decide.",
    ),
    ("face_liveness", "single_mismatch"): (
        "{a}至{b}，一张抓拍照片与参考照片不符（人脸距离{m}，阈值{l}），此后没有通过的比对。",
        "From {a} to {b} one photo did not match (distance {m}, threshold {l}) and no later one "
        "did.",
    ),
    ("face_liveness", "presentation_attack"): (
        "{a}至{b}，抓拍照片疑似翻拍或屏幕播放，须由两人复核确认。",
        "From {a} to {b} a photo looks like a picture or a screen; two reviewers decide.",
    ),
    ("face_liveness", "near_threshold"): (
        "{a}至{b}，人脸距离{m}接近阈值{l}，请人工比对。",
        "From {a} to {b} the face distance {m} is near the threshold {l}; a person compares.",
    ),
    ("face_liveness", "feed_not_live"): (
        "{a}至{b}的活体检测中，{m}张连续画面静止不动或循环重复，请人工确认。",
        "In the live check from {a} to {b}, {m} frames stood still or repeated themselves; a "
        "person decides.",
    ),
    ("face_liveness", "comparison_lost"): (
        "{a}至{b}之间要求的人脸比对没有通过（光线、遮挡、摄像头或无人应答），这段时间不计入，不作违规认定。",
        "A face check between {a} and {b} did not pass (light, framing, camera, or nobody there); "
        "that time is not counted; nobody is accused.",
    ),
    ("face_liveness", "check_not_met"): (
        "{a}至{b}要求了人脸比对，没有一次通过，也没有收到可用的照片，不作违规认定；"
        "可由培训机构当面核验后登记。",
        "From {a} to {b} face checks were asked for and none passed, without a usable photo; "
        "nobody is accused. The institution may check in person and record it.",
    ),
    ("face_liveness", "photos_late"): (
        "{a}至{b}要求的照片都在规定时间之后才送达，也没有断网的记录，不计入，不作违规认定。",
        "The photos asked for from {a} to {b} all came after their time, with no outage on record: "
        "they do not count; nobody is accused.",
    ),
    ("face_liveness", "hour_not_checked"): (
        "{a}至{b}的课时没有通过本课时自己的人脸比对（应有{l}次，实有{m}次），暂不认定。",
        "The class-hour from {a} to {b} has no passed face check of its own ({m} of {l}).",
    ),
    ("face_liveness", "hour_photos_lost"): (
        "{a}至{b}的课时中，人脸比对的照片在本系统中已无法读取或已被改动，暂不认定，与学员无关。",
        "Photos of the face check of the class-hour from {a} to {b} are no longer retrievable or "
        "were altered in this system; that is not the learner's doing.",
    ),
    ("face_liveness", "check_pending"): (
        "人脸比对尚未完成，暂不认定。",
        "The face comparison is not finished yet.",
    ),
    ("face_liveness", "no_consent"): (
        "学员未同意人脸信息处理，须按替代方式核验，暂不认定。",
        "No consent to face processing: another way of verification is needed.",
    ),
    ("face_liveness", "no_reference_photo"): (
        "没有可用的本人参考照片，无法比对，暂不认定。",
        "There is no reference photo to compare with.",
    ),
    ("face_liveness", "no_face_check"): (
        "{a}至{b}没有人脸比对记录，暂不认定。",
        "There is no face comparison on record from {a} to {b}.",
    ),
    ("face_liveness", "photos_lost"): (
        "{a}至{b}的抓拍照片在本系统中无法读取，没能比对，暂不认定，与学员无关。",
        "Photos from {a} to {b} cannot be read in this system and were not compared; that is not "
        "the learner's doing.",
    ),
    ("face_liveness", "no_face_control"): (
        "{a}至{b}，平台没有进行人脸活体比对。",
        "From {a} to {b} the platform ran no live face comparison.",
    ),
    ("face_liveness", "comparison_unclear"): (
        "{a}至{b}的照片看不清人脸，无法比对，不作违规认定；可重新学习，或由培训机构当面核验后登记。",
        "No face could be made out in the photos from {a} to {b}; nobody is accused. Study it "
        "again, or have the institution check in person and record it.",
    ),
    ("face_liveness", "never_compared"): (
        "{a}至{b}，系统已要求人脸比对，但始终没有一次通过。",
        "From {a} to {b} face comparison was demanded and never passed.",
    ),
    ("lesson_order", "ahead_of_order"): (
        "{a}开始学习本课时，前一课只完成了{m}%，低于{l}%。",
        "At {a} this lesson was begun while the one before was {m} % complete; {l} % are needed.",
    ),
    ("lesson_order", "no_lock"): (
        "{a}开始学习本课时，前一课只完成了{m}%（要求{l}%），课程没有设置先后顺序管理。",
        "At {a} this lesson was begun with {m} % of the one before ({l} % needed); the course has "
        "no sequential lock.",
    ),
    ("photo_retention", "photo_not_taken"): (
        "{a}至{b}的课时已要求随机抓拍，但没有留存照片（应有{l}张，实有{m}张）。",
        "Random photos were demanded in the class-hour from {a} to {b}, {m} of {l} were kept.",
    ),
    ("photo_retention", "photo_missing"): (
        "{a}至{b}的课时要求了随机抓拍，没有收到照片（应有{l}张，实有{m}张），不作违规认定。",
        "Random photos were asked for in the class-hour from {a} to {b} and none came ({m} of "
        "{l}); nobody is accused.",
    ),
    ("photo_retention", "photo_late"): (
        "{a}至{b}的课时随机照片在规定时间之后才送达，也没有断网的记录，不计入"
        "（应有{l}张，实有{m}张），不作违规认定。",
        "The random photos of the class-hour from {a} to {b} came after their time, with no outage "
        "on record: they do not count ({m} of {l}); nobody is accused.",
    ),
    ("photo_retention", "no_photo_control"): (
        "{a}至{b}的课时，平台没有随机抓拍（应有{l}张，实有{m}张）。",
        "The platform took no random photo in the class-hour from {a} to {b} ({m} of {l}).",
    ),
    ("photo_retention", "no_photo"): (
        "{a}至{b}的课时没有随机抓拍照片的记录（应有{l}张，实有{m}张），暂不认定。",
        "No random photo is on record for the class-hour from {a} to {b} ({m} of {l}).",
    ),
    ("photo_retention", "photo_lost"): (
        "{a}至{b}的课时照片已无法读取或已被改动，暂不认定。",
        "A photo of the class-hour from {a} to {b} is no longer retrievable or was altered.",
    ),
    ("photo_retention", "no_consent"): (
        "学员未同意人脸信息处理，{a}至{b}的课时没有照片，须按替代方式核验。",
        "No consent to face processing: the class-hour from {a} to {b} has no photo.",
    ),
    ("photo_retention", "no_face_visible"): (
        "{a}至{b}的课时随机照片中看不到人脸，请人工查看。",
        "No face is visible in the random photos of the class-hour from {a} to {b}.",
    ),
    ("photo_retention", "empty_photo"): (
        "{a}的随机照片中看不到人脸。",
        "No face is visible in the random photo of {a}.",
    ),
    ("photo_reuse", "identical_bytes"): (
        "{a}至{b}提交的{m}张照片与以前的照片逐字节相同，请人工确认。",
        "{m} photos handed in from {a} to {b} are identical to earlier ones, byte for byte.",
    ),
    ("photo_reuse", "near_duplicate"): (
        "{a}至{b}提交的{m}张照片与以前的照片几乎相同（重新保存、裁剪、调亮或镜像），请对照两张照片确认。",
        "{m} photos handed in from {a} to {b} are earlier ones, saved again, cropped, brightened "
        "or mirrored: compare both photos.",
    ),
    ("forged_telemetry", "forged_answer"): (
        "{a}至{b}，有{m}次弹窗应答使用了不属于该弹窗的凭证或早于下发时间，须由两人复核确认。",
        "From {a} to {b} {m} pop-up answers carried a foreign nonce or preceded the challenge.",
    ),
    ("forged_telemetry", "scripted_answer"): (
        "{a}至{b}，有{m}次弹窗应答被浏览器标记为脚本点击。",
        "From {a} to {b} {m} pop-up answers were marked by the browser as made by a script.",
    ),
    ("forged_telemetry", "instant_answers"): (
        "{a}至{b}，有{m}次弹窗在显示后不到0.25秒即被应答。",
        "From {a} to {b} {m} pop-ups were answered within 0.25 s of their display.",
    ),
    ("forged_telemetry", "seq_conflict"): (
        "{a}至{b}，同一序号的事件先后收到两种不同内容。",
        "From {a} to {b} one event number arrived with two different contents.",
    ),
    ("forged_telemetry", "chain_broken"): (
        "{a}至{b}的事件记录校验链不一致。",
        "The hash chain over the events from {a} to {b} does not hold.",
    ),
    ("forged_telemetry", "visibility_spoofed"): (
        "{a}至{b}，页面自称可见，但浏览器属性显示隐藏或没有画面输出（{m}次）。",
        "From {a} to {b} the page claimed to be visible while the browser says otherwise ({m}×).",
    ),
    ("forged_telemetry", "scripted_input"): (
        "{a}至{b}，观察到{m}次脚本产生的输入。",
        "From {a} to {b} {m} inputs made by a script were observed.",
    ),
    ("forged_telemetry", "client_clock"): (
        "{a}至{b}，客户端时钟的快慢是服务器的{m}倍（正常界限{l}）。",
        "From {a} to {b} the client's clock ran at {m} times the server's (usual bound {l}).",
    ),
    ("forged_telemetry", "whole_seconds"): (
        "{a}至{b}，{m}次播放位置全部为整数秒：平台的播放器只报整秒，与学员无关。",
        "From {a} to {b} all {m} reported positions were whole seconds: the platform's player "
        "tells no finer ones, which is nobody's doing.",
    ),
    ("popup_gap", "control_missing"): (
        "{a}至{b}，全班{l}次应有弹窗管控的学习中，出现弹窗的有{m}次：平台没有弹窗管控，"
        "须由两人复核确认。",
        "From {a} to {b}, {m} of the class's {l} sittings in which a pop-up was due showed one: "
        "the platform has no such control; two reviewers decide.",
    ),
    ("face_liveness", "control_missing"): (
        "{a}至{b}，全班{l}次学习中进行人脸比对的有{m}次：平台没有人脸活体比对，须由两人复核确认。",
        "From {a} to {b}, {m} of the class's {l} sittings had a face comparison: the platform has "
        "no such control; two reviewers decide.",
    ),
    ("photo_retention", "control_missing"): (
        "{a}至{b}，全班学完的{l}个课时中，有随机抓拍照片的为{m}个：平台没有随机抓拍，"
        "须由两人复核确认。",
        "From {a} to {b}, {m} of the class's {l} complete class-hours have a random photo: the "
        "platform takes none; two reviewers decide.",
    ),
    ("lesson_order", "control_missing"): (
        "本班{l}门专业课程中，设置先后顺序管理的有{m}门，须由两人复核确认。",
        "{m} of the class's {l} professional courses manage the order of their lessons; two "
        "reviewers decide.",
    ),
    ("contradicting_times", "before_the_start"): (
        "{a}至{b}，平台日志自相矛盾：有记录的接收时间比本次学习开始早{m}秒（容差{l}秒），"
        "本次学习暂不认定，属平台日志问题。",
        "From {a} to {b} the platform's log contradicts itself: records were received {m} s before "
        "the sitting began ({l} s are tolerated); not proven, and the log's fault.",
    ),
    ("contradicting_times", "after_the_end"): (
        "{a}至{b}，平台日志自相矛盾：学习结束之后{m}秒仍有播放记录（容差{l}秒），"
        "本次学习暂不认定，属平台日志问题。",
        "From {a} to {b} the platform's log contradicts itself: play went on until {m} s after the "
        "sitting was over ({l} s are tolerated); not proven, and the log's fault.",
    ),
    ("contradicting_times", "popups_do_not_fit"): (
        "{a}至{b}，平台日志自相矛盾：弹窗的下发时间与显示时间相差{m}秒（容差{l}秒），"
        "本次学习暂不认定，属平台日志问题。",
        "From {a} to {b} the platform's log contradicts itself: pop-ups were shown {m} s away from "
        "when they were issued ({l} s are tolerated); not proven, and the log's fault.",
    ),
    ("contradicting_times", "no_play_around"): (
        "{a}至{b}，平台日志自相矛盾：弹窗或抓拍的时间与播放记录相差{m}秒（容差{l}秒），"
        "本次学习暂不认定，属平台日志问题。",
        "From {a} to {b} the platform's log contradicts itself: pop-ups or photos lie {m} s away "
        "from any play ({l} s are tolerated); not proven, and the log's fault.",
    ),
    ("lesson_length", "ends_elsewhere"): (
        "{a}至{b}，多名学员的视频都在{m}秒处结束，而课程目录写的是{l}秒：目录时长与视频不符，"
        "属平台问题，与学员无关；登记更正时长后重新核算（不足40分钟的不能算一个课时）。",
        "From {a} to {b} several learners' film ended at {m} s, and the catalogue says {l} s: the "
        "entry is wrong, by the platform's doing and nobody else's. Once the length is corrected "
        "everything is judged again (less than 40 minutes is no class-hour).",
    ),
    ("lesson_length", "player_differs"): (
        "{a}至{b}，播放器报告视频长{m}秒，而课程目录写的是{l}秒：目录时长与视频不符，"
        "属平台问题，与学员无关；登记更正时长后重新核算（不足40分钟的不能算一个课时）。",
        "From {a} to {b} the player reported a film of {m} s, and the catalogue says {l} s: the "
        "entry is wrong, by the platform's doing and nobody else's. Once the length is corrected "
        "everything is judged again (less than 40 minutes is no class-hour).",
    ),
    ("shared_device", "learners_at_once"): (
        "{a}至{b}，同一台设备上有{m}名学员同时学习，而一台设备同一时刻只应有{l}名，请人工核实。",
        "From {a} to {b} {m} learners studied at once on one device, which has room for {l}; a "
        "person looks into it.",
    ),
    ("shared_device", "device_not_told"): (
        "{a}至{b}，{m}名学员在不同的浏览器或地址同时学习，平台却报告同一个设备编号"
        "（同一时刻只应有{l}名）：设备编号不可用，属平台问题，与学员无关。",
        "From {a} to {b} the platform gave one device number to {m} learners at once in different "
        "browsers or places ({l} is possible): the number tells nothing, by the platform's fault.",
    ),
    ("cloned_traces", "same_trace"): (
        "{a}至{b}，{m}次学习的弹窗间隔和应答快慢几乎完全相同，而各自独立的学习不会相同"
        "（各应自成{l}次），请人工核实是否由同一份记录复制而来。",
        "From {a} to {b} {m} sittings have almost the same gaps between pop-ups and the same "
        "answers, where each should be {l} of its kind; a person looks whether one record was "
        "copied.",
    ),
    ("cloned_traces", "same_schedule"): (
        "{a}至{b}，弹窗出现的时间几乎人人相同（相差约{m}秒，随机安排时约为{l}秒）：弹窗不是随机的，"
        "属平台问题，与学员无关。",
        "From {a} to {b} pop-ups come to everybody at almost the same moments ({m} s apart; drawn "
        "at random it would be about {l} s): they are not random, by the platform's doing.",
    ),
    ("unseen_play", "hidden"): (
        "{a}至{b}，页面处于隐藏状态时播放了{m}秒，不计入学时，不作违规认定；"
        "如页面一直打开，请平台检查其应用内嵌页面是否误报隐藏。",
        "From {a} to {b} {m} s were played while the page was hidden: not counted, and nobody is "
        "accused. If it was open all the time, the platform's app may wrongly report it hidden.",
    ),
    ("unseen_play", "unfocused"): (
        "{a}至{b}，页面失去焦点时播放了{m}秒，按本政策包不计入学时，不作违规认定。",
        "From {a} to {b} {m} s were played while the page had no focus: by this pack they are not "
        "counted; nobody is accused.",
    ),
    ("class_dates", "before_the_class"): (
        "{a}至{b}在开班之前学习，{m}秒不计入学时，不作违规认定。",
        "From {a} to {b} the class had not begun: {m} s of study are not counted; nobody is "
        "accused.",
    ),
    ("class_dates", "after_the_class"): (
        "{a}至{b}在本班学习期限（结束日期或考核）之后学习，{m}秒不计入学时，不作违规认定。",
        "From {a} to {b} the class was over, or its assessment held: {m} s of study are not "
        "counted; nobody is accused.",
    ),
    ("collusion", "answers_coincide"): (
        "{a}至{b}，{m}名学员一再在同一秒应答各自不同时出现的弹窗（两人之间至少{l}次），"
        "请人工核实。",
        "From {a} to {b} {m} learners answered pop-ups that came at different moments in the same "
        "second, again and again (two of them {l} times or more); a person looks into it.",
    ),
    ("one_face_several_accounts", "faces_alike"): (
        "与另一账号的人脸距离为{m}（界限{l}），可能是同一人，也可能是双胞胎或偶然相似，请对照确认。",
        "The face is {m} from that of another account (limit {l}): the same person, a twin, or "
        "chance; compare both.",
    ),
    ("marathon", "long_day"): (
        "{a}当日有效学习{m}小时，超过{l}小时。",
        "{m} h of study on the day of {a}, more than {l} h.",
    ),
}

# Said by earlier versions of a detector; their verdicts stay readable.
FORMER = frozenset({("face_liveness", "never_compared"), ("photo_retention", "photo_not_taken")})


def sentences(finding: Mapping[str, Any]) -> dict[str, str]:
    """{"zh": …, "en": …} for a finding's body (`rule`, `reason`, `start_ms`, `end_ms`,
    `measured`, `limit`). KeyError for a reason that has no sentence."""
    zh, en = SENTENCES[finding["rule"], finding["reason"]]
    start, end = finding["start_ms"], finding["end_ms"]
    one_day = start >= 0 and end >= 0 and at(start).date() == at(end).date()
    values = {
        "m": number(finding["measured"]),
        "l": number(finding["limit"]),
        "a": _when(start, zh=True),
        "A": _clock(start) if one_day else _when(start, zh=True),
        "b": _clock(end) if one_day else _when(end, zh=True),
        "B": _when(end, zh=True),
    }
    english = values | {
        "a": _when(start, zh=False),
        "A": _clock(start) if one_day else _when(start, zh=False),
        "b": _clock(end) if one_day else _when(end, zh=False),
        "B": _when(end, zh=False),
    }
    return {"zh": zh.format(**values), "en": en.format(**english)}


def number(value: float) -> str:
    """At most two decimals, none that say nothing.

    >>> number(300.0), number(0.7234), number(12.5)
    ('300', '0.72', '12.5')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _when(ms: int, *, zh: bool) -> str:
    moment = at(ms)
    if zh:
        return f"{moment.year}年{moment.month}月{moment.day}日{moment:%H:%M:%S}"
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _clock(ms: int) -> str:
    return f"{at(ms):%H:%M:%S}"
