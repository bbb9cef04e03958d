"""Help in the words of the screen: what a page is for, what to do on it, what its words mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.languages import Text


@dataclass(frozen=True, slots=True)
class Topic:
    """Help for the pages below `paths`, of which the longest that fits decides. `steps` is what to
    do, `words` what the screen says and what it means."""

    title: Text
    paths: tuple[str, ...]
    purpose: Text
    steps: Sequence[Text] = ()
    words: Sequence[tuple[Text, Text]] = ()


TOPICS: Mapping[str, Topic] = {
    "start": Topic(
        Text("总览", "Overview"),
        ("/console",),
        Text(
            "看今天有什么要办，从最重要的开始。",
            "What there is to do today, the gravest first.",
        ),
        (
            Text(
                "点“从最重要的看起”，打开第一案，看证据，作决定，按 n 到下一案。",
                "Press “Start here”, open the first case, look, decide; n leads on.",
            ),
            Text(
                "上方查找框可填姓名、身份证号、证件后四位、班级编号、机构、平台、案号。",
                "The search field takes names, ID numbers, last four digits, numbers of"
                " classes and cases, institutions and platforms.",
            ),
        ),
        (
            (
                Text("待办", "To do"),
                Text("等人决定的案件。", "Cases that wait for somebody's decision."),
            ),
            (
                Text("待第二人复核", "Second review due"),
                Text(
                    "已有一人决定，须由另一人再决定；在您决定之前看不到前一人的决定。",
                    "One person decided; another has to, without seeing the first decision.",
                ),
            ),
        ),
    ),
    "cases": Topic(
        Text("待办与决定", "Cases and decisions"),
        (
            "/console/cases",
            "/console/findings",
            "/console/sessions",
            "/console/photos",
            "/console/appeals",
        ),
        Text(
            "一个原因一案：看证据，作一次决定，本案各条一并了结。",
            "One cause is one case: look at the evidence, decide once, and all of it is settled.",
        ),
        (
            Text(
                "先看图或影像：虚线是正常速度，实线是实际进度，打斜线的一段不计学时。",
                "Look at the picture or the photos first: dashed is honest speed, solid is what was"
                " played, hatched stretches do not count.",
            ),
            Text(
                "选“认定”“撤销”或“补充材料”，写明核对了什么，提交。“认定之后”写明对谁、涉及多少补贴。",
                "Choose uphold, overturn or need more, say what you checked, submit. “Once upheld”"
                " says whom it concerns and how much money.",
            ),
            Text(
                "情况不同的一条勾选“除外”。十分钟内可以撤回，以后可以写明理由更正。",
                "Tick “Not this” for what differs. Undo within ten minutes, later correct with a"
                " reason.",
            ),
        ),
        (
            (
                Text("疑似违规", "Suspected"),
                Text(
                    "由服务器自己的记录得出，等人决定。",
                    "From what the server itself recorded; people decide.",
                ),
            ),
            (
                Text("违规", "Violation"),
                Text("有人认定了的疑似违规。", "A suspected violation that people upheld."),
            ),
            (
                Text("存疑", "Review"),
                Text("机器不能判断，只有人能决定。", "Only a person can tell."),
            ),
            (
                Text("未能证实", "Not proven"),
                Text(
                    "证据不够，不是作弊；不计学时，补学即可。",
                    "Evidence is missing; never cheating. It does not count and can be made up.",
                ),
            ),
            (
                Text("认定", "Uphold"),
                Text("事实成立，按规定处理。", "As stated: the rule applies."),
            ),
            (
                Text("撤销", "Overturn"),
                Text("事实不成立，或不应追究。", "Not so, or not to be held against anyone."),
            ),
            (
                Text("补充材料", "Need more"),
                Text(
                    "还定不了：写明缺什么，留在待办。",
                    "Cannot be settled yet: say what is missing.",
                ),
            ),
            (
                Text("待初审、待复核", "First and second review due"),
                Text(
                    "须两人的，由两个不同的人各自决定，一致方生效。",
                    "Where two are needed, two different people decide and have to agree.",
                ),
            ),
            (
                Text("实测、限值", "Measured, limit"),
                Text(
                    "记录到的数，和规则允许的数。", "What was recorded, and what the rule allows."
                ),
            ),
            (
                Text("责任方", "Fault"),
                Text(
                    "不是学员的，不要当作学员作弊处理。",
                    "Where it is not the learner's, the learner did not cheat.",
                ),
            ),
        ),
    ),
    "requests": Topic(
        Text("补充材料", "Material"),
        ("/console/requests",),
        Text(
            "主管部门要您补充的材料，在写明的日期前在此答复。",
            "What the authority asked you for; answer here by the day that it names.",
        ),
        (
            Text(
                "可附一个文件（PDF、JPG、PNG、XLSX、DOCX，10 MB以内，不含宏）。提交后不能再改。",
                "One file may go along (PDF, JPG, PNG, XLSX, DOCX, 10 MB, no macros). What was"
                " handed in cannot be changed.",
            ),
        ),
    ),
    "class": Topic(
        Text("班级与学员", "Classes and learners"),
        ("/console/classes", "/console/people", "/console/search"),
        Text(
            "一个班的学时、结论和未审结的人；点一格看其背后的学习，点姓名看该学员。",
            "A class's hours, conclusions and who is undecided; a cell leads to the study behind"
            " it, a name to the learner.",
        ),
        (
            Text(
                "“立即校验”按最新记录重新判定；“登记事项”登记证据说明不了的事。",
                "“Judge now” goes by the newest records; “Acts” record what evidence cannot tell.",
            ),
            Text(
                "学员来电来访时，在学员页“生成学员本人链接”，交给本人。",
                "For a learner who calls or comes, make the learner's own link on their page.",
            ),
        ),
        (
            (Text("有效", "Valid"), Text("这一课时算数。", "The class-hour counts.")),
            (
                Text("无效", "Invalid"),
                Text("认定了问题，这一课时不算。", "Something was upheld; it does not count."),
            ),
            (
                Text("未能证实", "Not proven"),
                Text("证据不够，补学即可，不是违规。", "Evidence is missing; nobody is accused."),
            ),
            (
                Text("未审结", "Undecided"),
                Text(
                    "有事还没有定，不在准予、不接受和公示名单上。",
                    "Something is not settled; such a person stands on no list that is signed.",
                ),
            ),
            (
                Text("分级处理、按字面处理", "Graded, literal"),
                Text(
                    "两种处理方式的结论并列，由主管部门逐班选定。",
                    "Two scales side by side; the authority picks one for each class.",
                ),
            ),
            (
                Text("补课截止", "Cut-off"),
                Text(
                    "这天以前补学，还赶得上这次考核。", "Made up by then, it counts for this one."
                ),
            ),
        ),
    ),
    "sign-off": Topic(
        Text("名单签发", "Signing lists"),
        ("/console/classes/*/sign-off",),
        Text(
            "一人送签，另一人核对后签发；签发后名单固定，以后有变动另出更正。",
            "One person submits, another checks and signs; then the lists are frozen, and changes"
            " make a correction.",
        ),
        (
            Text(
                "先把未审结的事办完：表里写明谁来办、最晚哪天。",
                "Settle what is open first: the table says whose turn it is and until when.",
            ),
        ),
        (
            (
                Text("草稿", "Draft"),
                Text("还没有签发，不能对外。", "Not signed yet, not to be given out."),
            ),
            (
                Text("更正第N号", "Correction N"),
                Text(
                    "签发后的变动，写明谁由哪张名单改到哪张。",
                    "Who moved from which list to which.",
                ),
            ),
        ),
    ),
    "acts": Topic(
        Text("登记事项与要紧的操作", "Acts, and what weighs"),
        ("/console/classes/*/acts", "/console/classes/*/scale"),
        Text(
            "证据说明不了的事由人登记：谁、为什么、依据什么文件。登记不能改，只能撤销后另行登记。",
            "What evidence cannot tell is recorded by people: who, why, by which document. It is"
            " never changed, only revoked and recorded anew.",
        ),
        (
            Text(
                "批准、撤销、改处理方式以前，先有一页写明对谁、会发生什么、涉及多少补贴、能否恢复。",
                "Before anything is approved, revoked or another scale picked, a page says to whom,"
                " what happens, how much money, and whether it can be undone.",
            ),
        ),
    ),
    "money": Topic(
        Text("开班到拨付、补贴资金", "From opening to payment"),
        ("/console/classes/*/stages", "/console/subsidies"),
        Text(
            "附件2的各步骤：由谁办、最迟哪天；金额由系统按本县标准核定。",
            "The steps of 附件2: whose turn it is and by when; amounts follow from the standards.",
        ),
        (),
        (
            (
                Text("追缴", "Recovery"),
                Text(
                    "拨付以后结论改变的，由人社通知、财政登记退回。",
                    "A conclusion turned after payment: labour demands, finance receives.",
                ),
            ),
            (Text("逾期", "Overdue"), Text("过了写明的最迟日期。", "Past the day that it names.")),
        ),
    ),
    "setup": Topic(
        Text("开办班级、花名册、照片", "Setting up a class"),
        (
            "/console/setups",
            "/console/courses",
            "/console/classes/new",
            "/console/classes/*/terms",
            "/console/classes/*/tables",
            "/console/classes/*/photos",
            "/console/classes/*/enrolments",
            "/console/classes/*/systems",
            "/console/classes/*/links",
        ),
        Text(
            "照六步做：机构与平台、课程、班级、花名册、登记照片、平台接入。随时可以停，每步都能再改。",
            "Six steps: institution and platform, course, class, roster, photos, platform. Stop at"
            " any time; each can be taken again.",
        ),
        (
            Text(
                "表格先预览再接收；写错的行写明原因，可下载“待改表”，改好再传。",
                "Tables are shown before they are taken; rows that are wrong say why and come back"
                " as a table to mend.",
            ),
            Text(
                "登记照片每人五张不同角度的，人脸比对才有把握。",
                "Five photos of each person from different sides make comparing reliable.",
            ),
        ),
    ),
    "platforms": Topic(
        Text("平台与机构", "Platforms and institutions"),
        ("/console/platforms", "/console/institutions", "/console/counties"),
        Text(
            "平台六项管控是否具备、是否起作用；密钥和机构登记也在这里。",
            "Whether a platform has the six controls and they work; keys and institutions too.",
        ),
        (),
        (
            (
                Text("密钥", "Key"),
                Text(
                    "平台报送用的口令，只显示一次。轮换后旧的再用7天，吊销立即失效。",
                    "What a platform sends data with, shown once. Rotated, the old one works for a"
                    " week; revoked, it ends at once.",
                ),
            ),
            (
                Text("具备、缺失、不能判断", "Present, missing, unknown"),
                Text(
                    "按学习记录得出，不凭平台自述。",
                    "From records of study, not from what is claimed.",
                ),
            ),
            (
                Text("退出目录", "Off the list"),
                Text("此日及以后不能新开班，已开的照常。", "Opens no class from that day on."),
            ),
        ),
    ),
    "live": Topic(
        Text("巡查与录像", "Inspections and recordings"),
        (
            "/console/live",
            "/console/inspections",
            "/console/classes/*/inspections",
            "/console/classes/*/recordings",
        ),
        Text(
            "看此刻谁在线，随机抽人登记，核对线下教学的录像。这里不下结论。",
            "Who is on line now, random draws, recordings of teaching. Nothing is concluded here.",
        ),
        (
            Text(
                "抽取由服务器随机，种子留存，任何人以后都能重新抽出同样的人。",
                "Draws are the server's; the seed is kept, and anybody can draw the same again.",
            ),
        ),
        (
            (
                Text("核验逾期", "Overdue check"),
                Text(
                    "到时间没有收到人脸核验，可能是网络，不是结论。",
                    "No face check arrived in time; may be the network, and is no conclusion.",
                ),
            ),
        ),
    ),
    "county": Topic(
        Text("全县情况与报表", "The county"),
        ("/console/standing", "/console/county"),
        Text(
            "涉及的补贴、机构与平台排名、考核前办结、旬报和月报。",
            "Money at stake, institutions and platforms ranked, what is settled in time, reports.",
        ),
    ),
    "runs": Topic(
        Text("校验运行", "Runs"),
        ("/console/runs",),
        Text(
            "每夜和手动校验的进度、结果和失败原因。",
            "Nights and classes judged by hand: progress, results, what failed and why.",
        ),
    ),
    "packs": Topic(
        Text("规则包", "Policy packs"),
        ("/console/packs", "/console/pack-drafts", "/console/what-if"),
        Text(
            "每个数字来自规定原文还是产品默认值；试算只读，不改结论。",
            "Which numbers are quoted and which are defaults; what-if changes no conclusion.",
        ),
        (
            Text(
                "本县的规则包由一人起草、另一人公布，公布后不能再改。",
                "A county's own pack is written by one person and published by another, for good.",
            ),
        ),
    ),
    "face-data": Topic(
        Text("人脸信息", "Face data"),
        (
            "/console/face-data",
            "/console/classes/*/holds",
            "/console/photo-accesses",
            "/console/classes/*/learners/*/enrolment",
        ),
        Text(
            "查看影像要说明用途，姓名、时间、用途永久记录，画面带您的水印。",
            "Looking at photos needs a purpose; who, when and why are kept, with your watermark.",
        ),
    ),
    "admin": Topic(
        Text("用户、审计日志、日历", "Users, audit log, calendar"),
        ("/console/users", "/console/audit", "/console/calendar"),
        Text(
            "谁可以登录、做了什么、哪些天放假。停用账号、改角色、重置口令都要写理由。",
            "Who may sign in, what was done, which days are free. Stopping accounts, other roles"
            " and new passwords need a reason.",
        ),
        (
            Text(
                "审计日志按屏幕上的字查：操作、操作人、日期；可导出CSV。",
                "The log is found by the words on the screen: deed, person, days; exported as CSV.",
            ),
        ),
        (
            (
                Text("哈希链", "Hash chain"),
                Text(
                    "每一条接着前一条，改动任何一条都会断开。",
                    "A change anywhere breaks the chain.",
                ),
            ),
        ),
    ),
    "account": Topic(
        Text("我的账号与提醒", "My account and notices"),
        ("/console/account", "/console/notices"),
        Text(
            "改自己的口令，设置二次验证，选定哪些事怎样提醒自己。",
            "Your password, second factor, and what you are told of and how.",
        ),
        (
            Text(
                "登录满一小时不用会退出；写了一半的理由留在本机，重新登录后还在。",
                "An hour unused ends a login; a half-written reason stays and is there after"
                " signing in again.",
            ),
        ),
    ),
}


def topic_of(path: str) -> str:
    """The topic that a page's path belongs to; `*` in a topic's path is any one part."""
    parts = path.split("/")
    fitting = [
        (len(wanted), name)
        for name, it in TOPICS.items()
        for wanted in (one.split("/") for one in it.paths)
        if len(wanted) <= len(parts)
        and all(mine in ("*", its) for mine, its in zip(wanted, parts, strict=False))
    ]
    longest = max((length for length, _ in fitting), default=0)
    exact = [name for length, name in fitting if length == longest]
    return exact[0] if exact else "start"
