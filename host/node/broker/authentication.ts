/** Who a client is: by its certificate, its password, or, on loopback and when that is wanted, by its word. */
import type { AuthenticateError, Client } from "aedes";
import type { CallerRole } from "../../bus/operations/definition.js";
import { isNodeId } from "../../bus/topics.js";
import type { Identities } from "./identities.js";
import { PasswordGate } from "./password-gate.js";
import type { RefusalReason } from "./refusals.js";

/** How a client proved its id; none: anonymous, on loopback. */
export type Proof = "certificate" | "password" | "none";

export interface Problem {
  readonly reason: RefusalReason;
  readonly text: string;
  /** Of CONNACK. */
  readonly code: number;
}

/** Of an address that goes on with them, they become slow. */
export const isFailedLogin = (reason: RefusalReason): boolean =>
  reason === "identity" || reason === "credentials" || reason === "revoked";

/** @param returnCode of CONNACK */
export function refusal(text: string, returnCode: number): AuthenticateError {
  return Object.assign(new Error(text), { returnCode });
}

export interface AuthenticationOptions {
  /** Of the server. */
  readonly id: string;
  readonly anonymous: boolean;
  readonly identities: Identities;
}

export class Authentication {
  private readonly gate: PasswordGate;

  constructor(private readonly options: AuthenticationOptions) {
    this.gate = new PasswordGate(options.identities);
  }

  async prove(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<Proof | Problem> {
    const { id, conn } = client;
    if (!isNodeId(id)) {
      return { reason: "identity", text: "the client id is not an id of the bus", code: 2 };
    }
    if (id === this.options.id) {
      return { reason: "identity", text: "the client id is that of this server", code: 2 };
    }
    if ("getPeerCertificate" in conn) return this.certificateProblem(client) ?? "certificate";
    const problem = await this.passwordProblem(id, username, password?.toString("utf8"));
    return problem ?? (password === undefined ? "none" : "password");
  }

  /** After a change of the identities: would it be let in again? Passwords are asked for again at the next time. */
  stillHolds(client: Client, proof: Proof, role: CallerRole | undefined): boolean {
    switch (proof) {
      case "certificate":
        return this.certificateProblem(client) === undefined;
      case "password":
        return role !== undefined;
      case "none":
        // Whoever is enrolled now has to prove it.
        return role === undefined && this.options.anonymous;
    }
  }

  /** After a change of the identities: everybody is verified again. */
  forget(): void {
    this.gate.forget();
  }

  private certificateProblem({ conn, id }: Client): Problem | undefined {
    if (!("getPeerCertificate" in conn) || typeof conn.getPeerCertificate !== "function") {
      return { reason: "credentials", text: "no certificate", code: 5 };
    }
    const certificate = conn.getPeerCertificate() as { subject?: { CN?: unknown }; serialNumber?: unknown };
    if (certificate.subject?.CN !== id) {
      return { reason: "identity", text: "the client id is not the name in its certificate", code: 2 };
    }
    const { identities } = this.options;
    if (identities.roleOf(id) === undefined) {
      return { reason: "revoked", text: "the certificate's owner is not enrolled (any more)", code: 5 };
    }
    return identities.acceptsCertificate(id, String(certificate.serialNumber))
      ? undefined
      : { reason: "revoked", text: "the certificate was replaced or revoked", code: 5 };
  }

  private async passwordProblem(
    id: string,
    username: string | undefined,
    password: string | undefined,
  ): Promise<Problem | undefined> {
    const enrolled = this.options.identities.roleOf(id) !== undefined;
    if (password === undefined && !enrolled && this.options.anonymous) return undefined;
    if (password === undefined) {
      return { reason: "credentials", text: "neither certificate nor password", code: 4 };
    }
    if (username !== undefined && username !== id) {
      return { reason: "identity", text: "the user name is not the client id", code: 2 };
    }
    const outcome = enrolled ? await this.gate.check(id, password) : "wrong";
    if (outcome === "right") return undefined;
    return outcome === "throttled"
      ? { reason: "throttled", text: "too many attempts with a password; come again", code: 3 }
      : { reason: "credentials", text: "wrong password, or not enrolled", code: 4 };
  }
}
