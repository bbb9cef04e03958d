<?php // A whole lesson with the platform's own pop-ups and photos: php lesson.php HELP FOLDER
require 'connect.php'; // call() of the guide, as it stands there

/** The test's clock goes on, or its face worker takes its turn; the time then. */
function help(string $what): int
{
    return (int) file_get_contents($GLOBALS['argv'][1] . $what, false, stream_context_create(['http' => ['method' => 'POST']]));
}

$session = 'php-lesson';
$now = help('/clock?seconds=0');
call('POST', '/v1/sessions', ['session_id' => $session, 'learner_id' => 'lin', 'class_id' => 'c1',
    'lesson_id' => 'l1', 'device_id' => 'phone', 'window_id' => 'tab']);
$tell = function (string $type, float $position) use ($session, &$now): void {
    $seen = ['rate' => 1, 'visible' => true, 'focused' => true];
    $event = ['session_id' => $session, 'type' => $type, 'at_ms' => $now, 'position' => $position] + $seen;
    call('POST', '/v1/events', ['batch_id' => "$session-$type-$position", 'events' => [$event]]);
};
$report = fn(array $control) => call('POST', "/v1/sessions/$session/controls", ['controls' => [$control]]);
$photo = function (string $name, string $control, string $purpose) use ($session, $report, &$now): void {
    $report(['control' => $control, 'challenge_id' => $name, 'issued_at_ms' => $now]);
    $asked = http_build_query(['purpose' => $purpose, 'challenge_id' => $name, 'taken_at_ms' => $now]);
    call('PUT', "/v1/sessions/$session/snapshots/$name?$asked", file_get_contents("{$GLOBALS['argv'][2]}/$name.jpg"));
};

$photo('face-1', 'face_check', 'start');
for ($beat = 0; $beat <= 270; $beat++) {
    $tell('progress', $beat * 10);
    if ($beat % 24 == 23) {
        $tell('pause', $beat * 10);
        $shown = $now;
        $now = help('/clock?seconds=6');
        $report(['control' => 'popup', 'challenge_id' => "p$beat", 'issued_at_ms' => $shown,
            'shown_at_ms' => $shown, 'answered_at_ms' => $now]);
        $tell('play', $beat * 10);
    }
    if ($beat == 100) $photo('random-1', 'snapshot', 'random');
    if ($beat == 150) $photo('face-2', 'face_check', 'challenge');
    $now = help('/clock?seconds=10');
}
$tell('pause', 2700);
help('/faces');
call('POST', "/v1/sessions/$session/close", ['reason' => 'finished']);
echo $session, "\n";
