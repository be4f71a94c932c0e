"use strict";
// Whose turn it is. Many may ask an engine at a time, one may change it while nobody asks. Asynchronous calls wait in order;
// a synchronous one, which could only wait by stopping the event loop, is refused as `busy`.

const { HealthfoldError, told } = require("./error.js");

/** A job on the pool; one that cannot even begin has failed like any other, so that its turn ends. */
async function started(job) {
  return await job.later();
}

class Gate {
  #asking = 0;
  #changing = false;
  /** @type {{ change: boolean, go: () => void }[]} */
  #waiting = [];

  #isFree(change) {
    return !this.#changing && !(change && this.#asking > 0);
  }

  #enter(change) {
    if (change) this.#changing = true;
    else this.#asking += 1;
  }

  #leave(change) {
    if (change) this.#changing = false;
    else this.#asking -= 1;
    for (let next = this.#waiting[0]; next && this.#isFree(next.change); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#enter(next.change);
      next.go();
    }
  }

  /** Runs a job at once. */
  now(change, job) {
    if (!this.#isFree(change)) {
      const what = this.#changing ? "is being changed" : "is being asked";
      const message = `the engine ${what} by an asynchronous call: await that, or use the asynchronous twin, which waits`;
      throw new HealthfoldError("busy", message);
    }
    try {
      return job.now();
    } catch (error) {
      throw told(error);
    }
  }

  /**
   * Runs a job on the pool when it is its turn. Who aborts a question is told at once; who aborts a change, once the engine
   * is at rest again.
   * @param {boolean} change
   * @param {any} job
   * @param {AbortSignal} [signal]
   */
  later(change, job, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const aborted = () => {
        job.abort();
        const at = this.#waiting.indexOf(turn);
        if (at >= 0) this.#waiting.splice(at, 1);
        if (at >= 0 || !change) reject(signal?.reason);
      };
      const ended = () => {
        signal?.removeEventListener("abort", aborted);
        this.#leave(change);
      };
      const go = () => {
        started(job).then(
          (answer) => {
            ended();
            resolve(answer);
          },
          (error) => {
            ended();
            const fault = told(error);
            reject(fault.code === "aborted" && signal?.aborted ? signal.reason : fault);
          },
        );
      };
      const turn = { change, go };
      signal?.addEventListener("abort", aborted, { once: true });
      if (this.#waiting.length === 0 && this.#isFree(change)) {
        this.#enter(change);
        go();
      } else {
        this.#waiting.push(turn);
      }
    });
  }
}

module.exports = { Gate };
