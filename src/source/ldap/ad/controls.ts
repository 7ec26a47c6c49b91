/** The two controls of Active Directory that ldapts lacks: DirSync and show-deleted. */
import { BerWriter, Control, type BerReader } from 'ldapts';

export interface DirSyncRequest {
  /** 0, or `objectSecurity`. */
  readonly flags: number;
  /** Empty: from the beginning of time. */
  readonly cookie: Buffer;
}

export interface DirSyncAnswer {
  /** Where the next round begins. */
  readonly cookie: Buffer;
  /** There is another round now, even if this one brought nothing. */
  readonly more: boolean;
}

/** LDAP_DIRSYNC_OBJECT_SECURITY: needs no right, and tells only of what this account can read. */
export const objectSecurity = 1;

const maxBytes = 1024 * 1024; // of one round; servers give less as they like
const octetString = 4;

/** LDAP_SERVER_DIRSYNC_OID (MS-ADTS 3.1.1.3.4.1.3). */
export class DirSyncControl extends Control {
  static readonly oid = '1.2.840.113556.1.4.841';
  answer: DirSyncAnswer | undefined;

  constructor(readonly request: DirSyncRequest) {
    super(DirSyncControl.oid, { critical: true });
  }

  protected override writeControl(writer: BerWriter): void {
    const value = new BerWriter();
    value.startSequence();
    value.writeInt(this.request.flags);
    value.writeInt(maxBytes);
    value.writeBuffer(this.request.cookie, octetString);
    value.endSequence();
    writer.writeBuffer(value.buffer, octetString);
  }

  /** ldapts gives the answer to the control that asked. */
  protected override parseControl(reader: BerReader): void {
    if (reader.readSequence() === null) return;
    const more = reader.readInt() ?? 0;
    reader.readInt();
    const cookie = reader.readString(octetString, true);
    if (cookie !== null && cookie.length > 0) this.answer = { more: more !== 0, cookie };
  }
}

/** LDAP_SERVER_SHOW_DELETED_OID (MS-ADTS 3.1.1.3.4.1.14): no value. */
export class ShowDeletedControl extends Control {
  static readonly oid = '1.2.840.113556.1.4.417';

  constructor() {
    super(ShowDeletedControl.oid, { critical: true });
  }
}
