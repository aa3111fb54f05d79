/**
 * Who is known to this node: what the broker asks when a client connects, and the Core Service when it decides who
 * may do what. How identities are made and kept: identity-store.ts.
 */
import type { CallerRole } from "../../bus/operations/definition.js";

export interface Identities {
  /** Undefined for ids that are not enrolled, or not any more. */
  roleOf(id: string): CallerRole | undefined;
  /**
   * Whether a client certificate, already verified against the CA, is one that was issued to `id` and is still valid.
   * `serial`: hexadecimal digits, as Node.js gives them.
   */
  acceptsCertificate(id: string, serial: string): boolean;
  /** Whether this is the password of `id`; takes milliseconds by design. */
  verifyPassword(id: string, password: string): Promise<boolean>;
  /** Calls back whenever somebody was enrolled, renewed or revoked. Returns what ends that. */
  onChange(listener: () => void): () => void;
}

/** Nobody is enrolled. */
export const noIdentities: Identities = {
  roleOf: () => undefined,
  acceptsCertificate: () => false,
  verifyPassword: () => Promise.resolve(false),
  onChange: () => () => undefined,
};
