import * as native from "./native.js";

/** `progress`, every few seconds, playing or not: where content is, and that somebody is there. */
export class Heartbeat {
  constructor(scope, player, report) {
    this.scope = scope;
    this.player = player;
    this.report = report;
  }

  /** @param {number} seconds between two beats  @param {() => void} beat */
  pace(seconds, beat) {
    if (seconds === this.seconds) return;
    this.seconds = seconds;
    this.cancel?.();
    this.cancel = this.scope.every(seconds * 1000, beat);
  }

  beat() {
    const { player } = this;
    player.settle();
    this.report("progress", {
      position: player.position(),
      rate: native.rate(player.video),
      visible: !native.isHidden(),
      focused: native.hasFocus(),
      monotonic_ms: Math.round(native.monotonic()),
    });
  }
}
