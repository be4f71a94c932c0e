"use strict";
// The one class of errors. Codes are the same in every language and are never renamed.

class HealthfoldError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {Record<string, unknown>} [more]
   */
  constructor(code, message, more = {}) {
    super(message);
    this.code = code;
    for (const [name, value] of Object.entries(more)) {
      // Positions are those of `Rejection`.
      const is_place = name === "index" || name === "line" || name === "offset";
      if (value != null) this[name] = is_place ? BigInt(/** @type {number} */ (value)) : value;
    }
  }

  toJSON() {
    const { name, message, stack, cause, ...own } = this;
    const plain = Object.entries(own).map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : value]);
    return { ...Object.fromEntries(plain), message };
  }
}
Object.defineProperty(HealthfoldError.prototype, "name", { value: "HealthfoldError" });

/** What the native module threw, as an error of ours. */
function told(error) {
  if (error instanceof HealthfoldError) return error;
  try {
    const { code, message, ...more } = JSON.parse(error.message);
    return new HealthfoldError(code, message, more);
  } catch {
    return new HealthfoldError("internal", `healthfold is at fault: ${error?.message ?? "no message"}`);
  }
}

/** An argument that is not what it may be. */
function refused(field, message, code = "bad_value") {
  return new HealthfoldError(code, `\`${field}\`: ${message}`, { field });
}

module.exports = { HealthfoldError, refused, told };
