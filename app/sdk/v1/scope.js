import * as native from "./native.js";

/** Everything that must be undone again: listeners, timers, what lies in the page. */
export class Scope {
  #undo = new Set();
  #closed = false;
  /** Ends an inner scope. */
  end = () => this.close();

  /** @param {() => void} undo */
  add(undo) {
    if (this.#closed) {
      undo();
      return () => {};
    }
    this.#undo.add(undo);
    return () => {
      if (this.#undo.delete(undo)) undo();
    };
  }

  /** Only what the browser itself dispatches is handed on, unless `scripted` is asked for too. */
  listen(target, type, handler, scripted = false, how = {}) {
    const heard = (event) => {
      if (scripted || event.isTrusted) handler(event);
    };
    native.listen(target, type, heard, how);
    return this.add(() => native.unlisten(target, type, heard, how));
  }

  after(ms, run) {
    const cancel = this.add(() => native.cancelAfter(timer));
    const timer = native.after(() => {
      cancel();
      run();
    }, ms);
    return cancel;
  }

  every(ms, run) {
    const timer = native.every(run, ms);
    return this.add(() => native.cancelEvery(timer));
  }

  /** A scope that ends with this one, or before. */
  inner() {
    const scope = new Scope();
    scope.end = this.add(() => scope.close());
    return scope;
  }

  close() {
    this.#closed = true;
    for (const undo of [...this.#undo].reverse()) undo();
    this.#undo.clear();
  }
}
