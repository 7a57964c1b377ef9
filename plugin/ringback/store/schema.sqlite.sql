-- Written by `python -m tools.schema` from tables.py
BEGIN;

CREATE TABLE account (
    id INTEGER NOT NULL,
    public_id TEXT NOT NULL,
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password TEXT NOT NULL,
    language TEXT DEFAULT '' NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    disabled_at BIGINT,
    extension TEXT DEFAULT '' NOT NULL,
    endpoint TEXT DEFAULT '' NOT NULL,
    mail TEXT DEFAULT '' NOT NULL,
    mobile TEXT DEFAULT '' NOT NULL,
    source TEXT DEFAULT '' NOT NULL,
    outside TEXT DEFAULT '' NOT NULL,
    totp TEXT DEFAULT '' NOT NULL,
    totp_at BIGINT,
    totp_step INTEGER DEFAULT '0' NOT NULL,
    codes TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_account PRIMARY KEY (id),
    CONSTRAINT uq_account_public_id UNIQUE (public_id),
    CONSTRAINT uq_account_login UNIQUE (login)
);

CREATE INDEX ix_account_extension ON account (extension);

CREATE INDEX ix_account_outside ON account (outside) WHERE outside <> '';

CREATE TABLE allowance (
    level TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    soft INTEGER DEFAULT '0' NOT NULL,
    hard INTEGER DEFAULT '0' NOT NULL,
    set_by TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    CONSTRAINT pk_allowance PRIMARY KEY (level, subject_id)
);

CREATE TABLE audit (
    id INTEGER NOT NULL,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    about TEXT NOT NULL,
    detail TEXT DEFAULT '' NOT NULL,
    chain TEXT DEFAULT '' NOT NULL,
    source TEXT DEFAULT '' NOT NULL,
    request TEXT DEFAULT '' NOT NULL,
    "before" TEXT DEFAULT '' NOT NULL,
    "after" TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_audit PRIMARY KEY (id)
);

CREATE INDEX ix_audit_about ON audit (about);

CREATE INDEX ix_audit_action_id ON audit (action, id);

CREATE INDEX ix_audit_at_id ON audit (at, id);

CREATE INDEX ix_audit_who_id ON audit (who, id);

CREATE TABLE call (
    id INTEGER NOT NULL,
    public_id TEXT NOT NULL,
    pbx TEXT NOT NULL,
    uniqueid TEXT NOT NULL,
    linkedid TEXT NOT NULL,
    direction TEXT NOT NULL,
    caller TEXT NOT NULL,
    did TEXT NOT NULL,
    peer TEXT,
    presentation TEXT NOT NULL,
    verstat TEXT DEFAULT '' NOT NULL,
    vetoed BOOLEAN DEFAULT false NOT NULL,
    language TEXT DEFAULT '' NOT NULL,
    queue TEXT,
    extensions TEXT DEFAULT '' NOT NULL,
    started_at BIGINT NOT NULL,
    answered_at BIGINT,
    ended_at BIGINT,
    rang_us BIGINT,
    waited_us BIGINT,
    outcome TEXT,
    transfer_unanswered BOOLEAN DEFAULT false NOT NULL,
    decision TEXT,
    reason TEXT,
    rule TEXT,
    rule_version TEXT,
    due_at BIGINT,
    until_at BIGINT,
    tried TEXT DEFAULT '' NOT NULL,
    answered_by TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_call PRIMARY KEY (id),
    CONSTRAINT uq_call_pbx_uniqueid UNIQUE (pbx, uniqueid),
    CONSTRAINT uq_call_public_id UNIQUE (public_id)
);

CREATE INDEX ix_call_did_started_at_id ON call (did, started_at, id);

CREATE INDEX ix_call_did_unanswered ON call (did, started_at, id) WHERE direction = 'inbound' AND ended_at IS NOT NULL AND coalesce(outcome, '') NOT IN ('deflected', 'answered', 'answered_elsewhere', 'failed');

CREATE INDEX ix_call_did_with_text ON call (did, started_at, id) WHERE decision IN ('send', 'defer');

CREATE INDEX ix_call_did_without_text ON call (did, started_at, id) WHERE direction = 'inbound' AND ended_at IS NOT NULL AND coalesce(outcome, '') NOT IN ('deflected', 'answered', 'answered_elsewhere', 'failed') AND decision IN ('suppress', 'none');

CREATE INDEX ix_call_linkedid ON call (linkedid);

CREATE INDEX ix_call_open ON call (pbx) WHERE ended_at IS NULL;

CREATE INDEX ix_call_peer_started_at ON call (peer, started_at);

CREATE INDEX ix_call_started_at_id ON call (started_at, id);

CREATE INDEX ix_call_unanswered ON call (started_at, id) WHERE direction = 'inbound' AND ended_at IS NOT NULL AND coalesce(outcome, '') NOT IN ('deflected', 'answered', 'answered_elsewhere', 'failed');

CREATE INDEX ix_call_with_text ON call (started_at, id) WHERE decision IN ('send', 'defer');

CREATE INDEX ix_call_without_text ON call (started_at, id) WHERE direction = 'inbound' AND ended_at IS NOT NULL AND coalesce(outcome, '') NOT IN ('deflected', 'answered', 'answered_elsewhere', 'failed') AND decision IN ('suppress', 'none');

CREATE TABLE call_offer (
    id INTEGER NOT NULL,
    pbx TEXT NOT NULL,
    uniqueid TEXT NOT NULL,
    kind TEXT NOT NULL,
    did TEXT NOT NULL,
    peer TEXT NOT NULL,
    queue TEXT NOT NULL,
    waiting INTEGER DEFAULT '0' NOT NULL,
    agents INTEGER DEFAULT '0' NOT NULL,
    expected_us BIGINT,
    position BIGINT,
    reason TEXT NOT NULL,
    prompt TEXT DEFAULT '' NOT NULL,
    at BIGINT NOT NULL,
    answer TEXT DEFAULT '' NOT NULL,
    answered_at BIGINT,
    text TEXT DEFAULT '' NOT NULL,
    session TEXT DEFAULT '' NOT NULL,
    waited_us BIGINT,
    CONSTRAINT pk_call_offer PRIMARY KEY (id),
    CONSTRAINT uq_call_offer_pbx_uniqueid_kind UNIQUE (pbx, uniqueid, kind)
);

CREATE INDEX ix_call_offer_at ON call_offer (at);

CREATE INDEX ix_call_offer_peer ON call_offer (peer);

CREATE TABLE department (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL,
    name TEXT NOT NULL,
    parent_id BIGINT,
    created_at BIGINT NOT NULL,
    CONSTRAINT uq_department_public_id UNIQUE (public_id),
    CONSTRAINT uq_department_name UNIQUE (name),
    CONSTRAINT fk_department_parent_id FOREIGN KEY(parent_id) REFERENCES department (id)
);

CREATE INDEX ix_department_parent_id ON department (parent_id);

CREATE TABLE grant_ (
    id INTEGER NOT NULL,
    level TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    way TEXT NOT NULL,
    scope TEXT NOT NULL,
    class_ TEXT NOT NULL,
    effect TEXT NOT NULL,
    note TEXT DEFAULT '' NOT NULL,
    set_by TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    CONSTRAINT pk_grant_ PRIMARY KEY (id),
    CONSTRAINT uq_grant__level_subject_id_way_scope_class_ UNIQUE (level, subject_id, way, scope, class_)
);

CREATE TABLE grant_change (
    id INTEGER NOT NULL,
    batch TEXT NOT NULL,
    at BIGINT NOT NULL,
    by_ TEXT NOT NULL,
    level TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    way TEXT NOT NULL,
    scope TEXT NOT NULL,
    class_ TEXT NOT NULL,
    "before" TEXT NOT NULL,
    "after" TEXT NOT NULL,
    note TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_grant_change PRIMARY KEY (id)
);

CREATE INDEX ix_grant_change_batch ON grant_change (batch);

CREATE INDEX ix_grant_change_level_subject_id_id ON grant_change (level, subject_id, id);

CREATE TABLE idempotency (
    principal TEXT NOT NULL,
    "key" TEXT NOT NULL,
    asked TEXT NOT NULL,
    answer TEXT NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT pk_idempotency PRIMARY KEY (principal, "key")
);

CREATE INDEX ix_idempotency_at ON idempotency (at);

CREATE TABLE listed (
    "key" TEXT NOT NULL,
    list TEXT NOT NULL,
    batch TEXT DEFAULT '' NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    source TEXT DEFAULT '' NOT NULL,
    by_ TEXT NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT pk_listed PRIMARY KEY ("key", list, batch)
);

CREATE INDEX ix_listed_batch ON listed (batch, "key") WHERE batch <> '';

CREATE INDEX ix_listed_list_at_key ON listed (list, at, "key");

CREATE TABLE meter (
    "key" TEXT NOT NULL,
    slot BIGINT NOT NULL,
    n INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_meter PRIMARY KEY ("key", slot)
);

CREATE TABLE not_textable (
    peer TEXT NOT NULL,
    reason TEXT NOT NULL,
    since_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    times INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT pk_not_textable PRIMARY KEY (peer)
);

CREATE INDEX ix_not_textable_until_at ON not_textable (until_at);

CREATE TABLE number_group (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT uq_number_group_public_id UNIQUE (public_id),
    CONSTRAINT uq_number_group_name UNIQUE (name)
);

CREATE TABLE pbx_gap (
    id INTEGER NOT NULL,
    pbx TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT,
    calls INTEGER DEFAULT '0' NOT NULL,
    recovered INTEGER DEFAULT '0' NOT NULL,
    recovered_from TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_pbx_gap PRIMARY KEY (id)
);

CREATE INDEX ix_pbx_gap_pbx_from_at ON pbx_gap (pbx, from_at);

CREATE TABLE receipt_parked (
    id INTEGER NOT NULL,
    carrier TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    status TEXT NOT NULL,
    carrier_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    error TEXT DEFAULT '' NOT NULL,
    provider_key TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_receipt_parked PRIMARY KEY (id),
    CONSTRAINT uq_receipt_parked_carrier_provider_id_status_carrier_at UNIQUE (carrier, provider_id, status, carrier_at)
);

CREATE INDEX ix_receipt_parked_carrier_provider_key ON receipt_parked (carrier, provider_key);

CREATE INDEX ix_receipt_parked_received_at ON receipt_parked (received_at);

CREATE TABLE setting (
    "key" TEXT NOT NULL,
    value TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    CONSTRAINT pk_setting PRIMARY KEY ("key")
);

CREATE TABLE text_queue (
    id INTEGER NOT NULL,
    public_id TEXT NOT NULL,
    name TEXT NOT NULL,
    main BOOLEAN DEFAULT false NOT NULL,
    "plan" TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    removed_at BIGINT,
    CONSTRAINT pk_text_queue PRIMARY KEY (id),
    CONSTRAINT uq_text_queue_public_id UNIQUE (public_id)
);

CREATE UNIQUE INDEX ix_text_queue_name ON text_queue (name) WHERE removed_at IS NULL;

CREATE TABLE voice_queue (
    pbx TEXT NOT NULL,
    name TEXT NOT NULL,
    model TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    CONSTRAINT pk_voice_queue PRIMARY KEY (pbx, name)
);

CREATE TABLE agent (
    account_id BIGINT NOT NULL,
    capacity INTEGER DEFAULT '3' NOT NULL,
    voice_weight INTEGER DEFAULT '1' NOT NULL,
    follows_phone BOOLEAN DEFAULT false NOT NULL,
    desk TEXT DEFAULT 'ready' NOT NULL,
    desk_since_at BIGINT,
    turn_at BIGINT,
    CONSTRAINT pk_agent PRIMARY KEY (account_id),
    CONSTRAINT fk_agent_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE TABLE api_key (
    id INTEGER NOT NULL,
    public_id TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    seen_at BIGINT,
    account_id BIGINT,
    numbers TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_api_key PRIMARY KEY (id),
    CONSTRAINT uq_api_key_public_id UNIQUE (public_id),
    CONSTRAINT uq_api_key_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_api_key_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE TABLE bulk (
    id INTEGER NOT NULL,
    public_id TEXT NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    asked_by TEXT NOT NULL,
    did TEXT NOT NULL,
    body TEXT NOT NULL,
    class_ TEXT NOT NULL,
    basis TEXT NOT NULL,
    language TEXT NOT NULL,
    campaign TEXT DEFAULT '' NOT NULL,
    reference TEXT DEFAULT '' NOT NULL,
    doubt TEXT DEFAULT 'once' NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    total INTEGER DEFAULT '0' NOT NULL,
    made INTEGER DEFAULT '0' NOT NULL,
    cancelled INTEGER DEFAULT '0' NOT NULL,
    rejected INTEGER DEFAULT '0' NOT NULL,
    segments INTEGER DEFAULT '0' NOT NULL,
    account_id BIGINT,
    CONSTRAINT pk_bulk PRIMARY KEY (id),
    CONSTRAINT uq_bulk_public_id UNIQUE (public_id),
    CONSTRAINT fk_bulk_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE INDEX ix_bulk_open ON bulk (not_before, id) WHERE state IN ('reading', 'open', 'paused', 'cancelling', 'expiring', 'broken');

CREATE TABLE call_event (
    call_id BIGINT NOT NULL,
    seq INTEGER NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_call_event PRIMARY KEY (call_id, seq),
    CONSTRAINT fk_call_event_call_id FOREIGN KEY(call_id) REFERENCES call (id)
);

CREATE TABLE call_leg (
    call_id BIGINT NOT NULL,
    seq INTEGER NOT NULL,
    phone TEXT NOT NULL,
    at BIGINT NOT NULL,
    ended_at BIGINT,
    rang TEXT NOT NULL,
    CONSTRAINT pk_call_leg PRIMARY KEY (call_id, seq),
    CONSTRAINT fk_call_leg_call_id FOREIGN KEY(call_id) REFERENCES call (id)
);

CREATE TABLE grant_draft (
    account_id BIGINT NOT NULL,
    level TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    way TEXT NOT NULL,
    scope TEXT NOT NULL,
    class_ TEXT NOT NULL,
    effect TEXT NOT NULL,
    seen TEXT NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT pk_grant_draft PRIMARY KEY (account_id, level, subject_id, way, scope, class_),
    CONSTRAINT fk_grant_draft_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE TABLE login (
    id INTEGER NOT NULL,
    token_hash TEXT NOT NULL,
    account_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    address TEXT DEFAULT '' NOT NULL,
    browser TEXT DEFAULT '' NOT NULL,
    method TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_login PRIMARY KEY (id),
    CONSTRAINT uq_login_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_login_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE INDEX ix_login_account_id ON login (account_id);

CREATE INDEX ix_login_expires_at ON login (expires_at);

CREATE TABLE member (
    account_id BIGINT NOT NULL,
    department_id BIGINT NOT NULL,
    main BOOLEAN DEFAULT false NOT NULL,
    since_at BIGINT NOT NULL,
    CONSTRAINT pk_member PRIMARY KEY (account_id, department_id),
    CONSTRAINT fk_member_account_id FOREIGN KEY(account_id) REFERENCES account (id),
    CONSTRAINT fk_member_department_id FOREIGN KEY(department_id) REFERENCES department (id)
);

CREATE INDEX ix_member_department_id ON member (department_id);

CREATE TABLE number (
    id INTEGER NOT NULL,
    e164 TEXT NOT NULL,
    label TEXT DEFAULT '' NOT NULL,
    group_id BIGINT,
    owner TEXT DEFAULT '' NOT NULL,
    fallback TEXT DEFAULT '' NOT NULL,
    outbound BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_number PRIMARY KEY (id),
    CONSTRAINT uq_number_e164 UNIQUE (e164),
    CONSTRAINT fk_number_group_id FOREIGN KEY(group_id) REFERENCES number_group (id)
);

CREATE TABLE pending_text (
    id INTEGER NOT NULL,
    call_id BIGINT NOT NULL,
    rule TEXT NOT NULL,
    group_ TEXT NOT NULL,
    did TEXT NOT NULL,
    peer TEXT NOT NULL,
    language TEXT NOT NULL,
    body TEXT NOT NULL,
    cool_down_us BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    cause TEXT,
    windows TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_pending_text PRIMARY KEY (id),
    CONSTRAINT uq_pending_text_call_id_rule UNIQUE (call_id, rule),
    CONSTRAINT fk_pending_text_call_id FOREIGN KEY(call_id) REFERENCES call (id)
);

CREATE INDEX ix_pending_text_due_at ON pending_text (due_at) WHERE state = 'pending';

CREATE INDEX ix_pending_text_peer ON pending_text (peer) WHERE state = 'pending';

CREATE TABLE queue_member (
    queue_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    seq INTEGER DEFAULT '0' NOT NULL,
    since_at BIGINT NOT NULL,
    CONSTRAINT pk_queue_member PRIMARY KEY (queue_id, account_id),
    CONSTRAINT fk_queue_member_queue_id FOREIGN KEY(queue_id) REFERENCES text_queue (id),
    CONSTRAINT fk_queue_member_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE INDEX ix_queue_member_account_id ON queue_member (account_id);

CREATE TABLE queue_voice (
    pbx TEXT NOT NULL,
    name TEXT NOT NULL,
    queue_id BIGINT NOT NULL,
    CONSTRAINT pk_queue_voice PRIMARY KEY (pbx, name),
    CONSTRAINT fk_queue_voice_queue_id FOREIGN KEY(queue_id) REFERENCES text_queue (id)
);

CREATE INDEX ix_queue_voice_queue_id ON queue_voice (queue_id);

CREATE TABLE reset (
    id INTEGER NOT NULL,
    token_hash TEXT NOT NULL,
    account_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    created_by TEXT NOT NULL,
    CONSTRAINT pk_reset PRIMARY KEY (id),
    CONSTRAINT uq_reset_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_reset_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE INDEX ix_reset_account_id ON reset (account_id);

CREATE TABLE bulk_item (
    bulk_id BIGINT NOT NULL,
    seq INTEGER NOT NULL,
    peer TEXT NOT NULL,
    words TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_bulk_item PRIMARY KEY (bulk_id, seq),
    CONSTRAINT fk_bulk_item_bulk_id FOREIGN KEY(bulk_id) REFERENCES bulk (id)
);

CREATE INDEX ix_bulk_item_peer ON bulk_item (peer);

CREATE TABLE cool_down (
    peer TEXT NOT NULL,
    group_ TEXT NOT NULL,
    number_id BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    CONSTRAINT pk_cool_down PRIMARY KEY (peer, group_, number_id),
    CONSTRAINT fk_cool_down_number_id FOREIGN KEY(number_id) REFERENCES number (id)
);

CREATE INDEX ix_cool_down_until_at ON cool_down (until_at);

CREATE TABLE queue_number (
    number_id BIGINT NOT NULL,
    queue_id BIGINT NOT NULL,
    CONSTRAINT pk_queue_number PRIMARY KEY (number_id),
    CONSTRAINT fk_queue_number_number_id FOREIGN KEY(number_id) REFERENCES number (id),
    CONSTRAINT fk_queue_number_queue_id FOREIGN KEY(queue_id) REFERENCES text_queue (id)
);

CREATE INDEX ix_queue_number_queue_id ON queue_number (queue_id);

CREATE TABLE thread (
    id INTEGER NOT NULL,
    public_id TEXT NOT NULL,
    number_id BIGINT NOT NULL,
    peer TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    unread INTEGER DEFAULT '0' NOT NULL,
    wrote_at BIGINT,
    waits_since_at BIGINT,
    CONSTRAINT pk_thread PRIMARY KEY (id),
    CONSTRAINT uq_thread_number_id_peer UNIQUE (number_id, peer),
    CONSTRAINT uq_thread_public_id UNIQUE (public_id),
    CONSTRAINT fk_thread_number_id FOREIGN KEY(number_id) REFERENCES number (id)
);

CREATE INDEX ix_thread_changed_at_id ON thread (changed_at, id);

CREATE INDEX ix_thread_number_id_changed_at_id ON thread (number_id, changed_at, id);

CREATE INDEX ix_thread_number_waiting ON thread (number_id, changed_at, id) WHERE waits_since_at IS NOT NULL;

CREATE INDEX ix_thread_peer ON thread (peer);

CREATE INDEX ix_thread_waiting ON thread (changed_at, id) WHERE waits_since_at IS NOT NULL;

CREATE TABLE consent_event (
    id INTEGER NOT NULL,
    thread_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    class_ TEXT NOT NULL,
    scope TEXT NOT NULL,
    method TEXT NOT NULL,
    prompt TEXT DEFAULT '' NOT NULL,
    call_id BIGINT,
    evidence TEXT DEFAULT '' NOT NULL,
    by_ TEXT DEFAULT '' NOT NULL,
    until_at BIGINT,
    CONSTRAINT pk_consent_event PRIMARY KEY (id),
    CONSTRAINT fk_consent_event_thread_id FOREIGN KEY(thread_id) REFERENCES thread (id),
    CONSTRAINT fk_consent_event_call_id FOREIGN KEY(call_id) REFERENCES call (id)
);

CREATE INDEX ix_consent_event_call_id ON consent_event (call_id) WHERE call_id IS NOT NULL;

CREATE INDEX ix_consent_event_thread_id_id ON consent_event (thread_id, id);

CREATE TABLE incoming (
    id INTEGER NOT NULL,
    public_id TEXT NOT NULL,
    thread_id BIGINT NOT NULL,
    carrier TEXT NOT NULL,
    at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    carrier_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    command TEXT DEFAULT '' NOT NULL,
    repeats_id BIGINT,
    piece_ref TEXT DEFAULT '' NOT NULL,
    pieces INTEGER DEFAULT '1' NOT NULL,
    media INTEGER DEFAULT '0' NOT NULL,
    read_at BIGINT,
    CONSTRAINT pk_incoming PRIMARY KEY (id),
    CONSTRAINT uq_incoming_public_id UNIQUE (public_id),
    CONSTRAINT fk_incoming_thread_id FOREIGN KEY(thread_id) REFERENCES thread (id),
    CONSTRAINT fk_incoming_repeats_id FOREIGN KEY(repeats_id) REFERENCES incoming (id)
);

CREATE INDEX ix_incoming_in_pieces ON incoming (received_at) WHERE state = 'waiting';

CREATE INDEX ix_incoming_thread_id_at_id ON incoming (thread_id, at, id);

CREATE INDEX ix_incoming_unread ON incoming (thread_id) WHERE read_at IS NULL;

CREATE TABLE opt_out_event (
    id INTEGER NOT NULL,
    thread_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    method TEXT NOT NULL,
    evidence TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_opt_out_event PRIMARY KEY (id),
    CONSTRAINT fk_opt_out_event_thread_id FOREIGN KEY(thread_id) REFERENCES thread (id)
);

CREATE INDEX ix_opt_out_event_thread_id ON opt_out_event (thread_id);

CREATE TABLE pair_facts (
    thread_id BIGINT NOT NULL,
    opted_out_at BIGINT,
    consents TEXT DEFAULT '' NOT NULL,
    told_at BIGINT,
    CONSTRAINT pk_pair_facts PRIMARY KEY (thread_id),
    CONSTRAINT fk_pair_facts_thread_id FOREIGN KEY(thread_id) REFERENCES thread (id)
);

CREATE TABLE inbound_raw (
    id INTEGER NOT NULL,
    carrier TEXT NOT NULL,
    provider_id TEXT,
    fingerprint TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    state TEXT NOT NULL,
    why TEXT DEFAULT '' NOT NULL,
    incoming_id BIGINT,
    CONSTRAINT pk_inbound_raw PRIMARY KEY (id),
    CONSTRAINT uq_inbound_raw_carrier_provider_id UNIQUE (carrier, provider_id),
    CONSTRAINT fk_inbound_raw_incoming_id FOREIGN KEY(incoming_id) REFERENCES incoming (id)
);

CREATE INDEX ix_inbound_raw_incoming_id ON inbound_raw (incoming_id) WHERE incoming_id IS NOT NULL;

CREATE INDEX ix_inbound_raw_received_at ON inbound_raw (received_at);

CREATE INDEX ix_inbound_raw_undone ON inbound_raw (received_at) WHERE state = 'stored';

CREATE INDEX ix_inbound_raw_without_id ON inbound_raw (carrier, fingerprint, received_at) WHERE provider_id IS NULL;

CREATE TABLE incoming_piece (
    incoming_id BIGINT NOT NULL,
    seq INTEGER NOT NULL,
    body TEXT NOT NULL,
    CONSTRAINT pk_incoming_piece PRIMARY KEY (incoming_id, seq),
    CONSTRAINT fk_incoming_piece_incoming_id FOREIGN KEY(incoming_id) REFERENCES incoming (id)
);

CREATE TABLE media (
    id INTEGER NOT NULL,
    incoming_id BIGINT NOT NULL,
    seq INTEGER DEFAULT '0' NOT NULL,
    url TEXT NOT NULL,
    content_type TEXT NOT NULL,
    state TEXT NOT NULL,
    CONSTRAINT pk_media PRIMARY KEY (id),
    CONSTRAINT uq_media_incoming_id_seq UNIQUE (incoming_id, seq),
    CONSTRAINT fk_media_incoming_id FOREIGN KEY(incoming_id) REFERENCES incoming (id)
);

CREATE TABLE message (
    id INTEGER NOT NULL,
    public_id TEXT NOT NULL,
    thread_id BIGINT NOT NULL,
    carrier TEXT NOT NULL,
    class_ TEXT NOT NULL,
    basis TEXT NOT NULL,
    language TEXT NOT NULL,
    pbx TEXT DEFAULT '' NOT NULL,
    cause TEXT NOT NULL,
    automatic BOOLEAN DEFAULT false NOT NULL,
    body TEXT NOT NULL,
    segments INTEGER DEFAULT '1' NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    not_before BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    state_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    call_id BIGINT,
    rule TEXT,
    step INTEGER DEFAULT '0' NOT NULL,
    tries INTEGER DEFAULT '0' NOT NULL,
    account_id BIGINT,
    answers_id BIGINT,
    command TEXT DEFAULT '' NOT NULL,
    windows TEXT DEFAULT '' NOT NULL,
    urgency INTEGER DEFAULT '2' NOT NULL,
    campaign TEXT DEFAULT '' NOT NULL,
    reference TEXT DEFAULT '' NOT NULL,
    doubt TEXT DEFAULT 'once' NOT NULL,
    resends INTEGER DEFAULT '0' NOT NULL,
    asked_at BIGINT,
    bulk_id BIGINT,
    CONSTRAINT pk_message PRIMARY KEY (id),
    CONSTRAINT uq_message_call_id_rule_step UNIQUE (call_id, rule, step),
    CONSTRAINT uq_message_answers_id UNIQUE (answers_id),
    CONSTRAINT uq_message_public_id UNIQUE (public_id),
    CONSTRAINT fk_message_thread_id FOREIGN KEY(thread_id) REFERENCES thread (id),
    CONSTRAINT fk_message_call_id FOREIGN KEY(call_id) REFERENCES call (id),
    CONSTRAINT fk_message_account_id FOREIGN KEY(account_id) REFERENCES account (id),
    CONSTRAINT fk_message_answers_id FOREIGN KEY(answers_id) REFERENCES incoming (id),
    CONSTRAINT fk_message_bulk_id FOREIGN KEY(bulk_id) REFERENCES bulk (id)
);

CREATE INDEX ix_message_awaited ON message (carrier, state_at) WHERE state IN ('accepted', 'sent');

CREATE INDEX ix_message_bulk_id_state ON message (bulk_id, state) WHERE bulk_id IS NOT NULL;

CREATE INDEX ix_message_doubtful ON message (thread_id) WHERE state IN ('held', 'unconfirmed', 'unresolved');

CREATE INDEX ix_message_expiring ON message (expires_at) WHERE state IN ('queued', 'held');

CREATE INDEX ix_message_in_doubt ON message (state_at) WHERE state = 'unconfirmed';

CREATE INDEX ix_message_open ON message (thread_id) WHERE state IN ('queued', 'held', 'submitting');

CREATE INDEX ix_message_put_off ON message (carrier) WHERE state = 'held' AND reason = 'carrier_hold';

CREATE INDEX ix_message_reference_id ON message (reference, id) WHERE reference <> '';

CREATE INDEX ix_message_thread_id_created_at_id ON message (thread_id, created_at, id);

CREATE INDEX ix_message_unasked ON message (carrier, state_at) WHERE state = 'unconfirmed' AND asked_at IS NULL;

CREATE INDEX ix_message_waiting ON message (carrier, urgency, not_before, id) WHERE state IN ('queued', 'held');

CREATE TABLE search_again (
    incoming_id BIGINT NOT NULL,
    CONSTRAINT pk_search_again PRIMARY KEY (incoming_id),
    CONSTRAINT fk_search_again_incoming_id FOREIGN KEY(incoming_id) REFERENCES incoming (id)
);

CREATE TABLE message_event (
    id INTEGER NOT NULL,
    message_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    detail TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_message_event PRIMARY KEY (id),
    CONSTRAINT fk_message_event_message_id FOREIGN KEY(message_id) REFERENCES message (id)
);

CREATE INDEX ix_message_event_message_id ON message_event (message_id);

CREATE TABLE part (
    id INTEGER NOT NULL,
    message_id BIGINT NOT NULL,
    seq INTEGER DEFAULT '0' NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    CONSTRAINT pk_part PRIMARY KEY (id),
    CONSTRAINT fk_part_message_id FOREIGN KEY(message_id) REFERENCES message (id)
);

CREATE INDEX ix_part_message_id ON part (message_id);

CREATE TABLE session (
    id INTEGER NOT NULL,
    public_id TEXT NOT NULL,
    thread_id BIGINT NOT NULL,
    did TEXT NOT NULL,
    peer TEXT NOT NULL,
    state TEXT NOT NULL,
    queue_id BIGINT NOT NULL,
    start TEXT NOT NULL,
    origin TEXT DEFAULT '' NOT NULL,
    agent_id BIGINT,
    offered_to BIGINT,
    waiting_on TEXT DEFAULT '' NOT NULL,
    call_id BIGINT,
    released_at BIGINT,
    opened_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    queued_at BIGINT,
    assigned_at BIGINT,
    replied_at BIGINT,
    ended_at BIGINT,
    wait_told_at BIGINT,
    due TEXT DEFAULT '' NOT NULL,
    due_at BIGINT,
    language TEXT DEFAULT '' NOT NULL,
    ivr_path TEXT DEFAULT '' NOT NULL,
    caller_name TEXT DEFAULT '' NOT NULL,
    first_text_id BIGINT,
    CONSTRAINT pk_session PRIMARY KEY (id),
    CONSTRAINT uq_session_public_id UNIQUE (public_id),
    CONSTRAINT fk_session_thread_id FOREIGN KEY(thread_id) REFERENCES thread (id),
    CONSTRAINT fk_session_queue_id FOREIGN KEY(queue_id) REFERENCES text_queue (id),
    CONSTRAINT fk_session_agent_id FOREIGN KEY(agent_id) REFERENCES account (id),
    CONSTRAINT fk_session_offered_to FOREIGN KEY(offered_to) REFERENCES account (id),
    CONSTRAINT fk_session_call_id FOREIGN KEY(call_id) REFERENCES call (id),
    CONSTRAINT fk_session_first_text_id FOREIGN KEY(first_text_id) REFERENCES message (id)
);

CREATE INDEX ix_session_agent ON session (agent_id) WHERE agent_id IS NOT NULL AND ended_at IS NULL;

CREATE INDEX ix_session_agent_id_assigned_at ON session (agent_id, assigned_at);

CREATE INDEX ix_session_call_id ON session (call_id) WHERE call_id IS NOT NULL;

CREATE INDEX ix_session_due ON session (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX ix_session_ended_at_queue_id ON session (ended_at, queue_id);

CREATE INDEX ix_session_first_text_id ON session (first_text_id) WHERE first_text_id IS NOT NULL;

CREATE INDEX ix_session_offered_to ON session (offered_to) WHERE offered_to IS NOT NULL AND ended_at IS NULL;

CREATE UNIQUE INDEX ix_session_open_thread ON session (thread_id) WHERE ended_at IS NULL;

CREATE INDEX ix_session_peer_id ON session (peer, id);

CREATE INDEX ix_session_queued ON session (queue_id, queued_at, id) WHERE state = 'queued';

CREATE INDEX ix_session_thread_id_id ON session (thread_id, id);

CREATE INDEX ix_session_with_call ON session (call_id) WHERE call_id IS NOT NULL AND ended_at IS NULL;

CREATE TABLE task (
    id INTEGER NOT NULL,
    public_id TEXT NOT NULL,
    "key" TEXT NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    call_id BIGINT,
    message_id BIGINT,
    detail TEXT DEFAULT '' NOT NULL,
    thread_id BIGINT,
    incoming_id BIGINT,
    due_at BIGINT,
    done_at BIGINT,
    done_by TEXT DEFAULT '' NOT NULL,
    did TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_task PRIMARY KEY (id),
    CONSTRAINT uq_task_public_id UNIQUE (public_id),
    CONSTRAINT uq_task_key UNIQUE ("key"),
    CONSTRAINT fk_task_call_id FOREIGN KEY(call_id) REFERENCES call (id),
    CONSTRAINT fk_task_message_id FOREIGN KEY(message_id) REFERENCES message (id),
    CONSTRAINT fk_task_thread_id FOREIGN KEY(thread_id) REFERENCES thread (id),
    CONSTRAINT fk_task_incoming_id FOREIGN KEY(incoming_id) REFERENCES incoming (id)
);

CREATE INDEX ix_task_did_done ON task (did, done_at, id) WHERE done_at IS NOT NULL;

CREATE INDEX ix_task_did_due ON task (did, due_at, id) WHERE done_at IS NULL AND due_at IS NOT NULL;

CREATE INDEX ix_task_did_undated ON task (did, at, id) WHERE done_at IS NULL AND due_at IS NULL;

CREATE INDEX ix_task_done ON task (done_at, id) WHERE done_at IS NOT NULL;

CREATE INDEX ix_task_due ON task (due_at, id) WHERE done_at IS NULL AND due_at IS NOT NULL;

CREATE INDEX ix_task_open ON task (at) WHERE done_at IS NULL;

CREATE TABLE attempt (
    id INTEGER NOT NULL,
    public_id TEXT NOT NULL,
    part_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    carrier TEXT NOT NULL,
    epoch INTEGER DEFAULT '0' NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    outcome TEXT,
    cause TEXT,
    provider_id TEXT,
    provider_key TEXT,
    CONSTRAINT pk_attempt PRIMARY KEY (id),
    CONSTRAINT uq_attempt_public_id UNIQUE (public_id),
    CONSTRAINT fk_attempt_part_id FOREIGN KEY(part_id) REFERENCES part (id),
    CONSTRAINT fk_attempt_message_id FOREIGN KEY(message_id) REFERENCES message (id)
);

CREATE INDEX ix_attempt_carrier_provider_key ON attempt (carrier, provider_key);

CREATE INDEX ix_attempt_in_doubt ON attempt (carrier, closed_at) WHERE outcome = 'unconfirmed';

CREATE INDEX ix_attempt_message_id ON attempt (message_id);

CREATE INDEX ix_attempt_open ON attempt (carrier) WHERE outcome IS NULL;

CREATE TABLE session_event (
    id INTEGER NOT NULL,
    session_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    why TEXT NOT NULL,
    state TEXT NOT NULL,
    by_ TEXT DEFAULT '' NOT NULL,
    agent_id BIGINT,
    queue_id BIGINT,
    detail TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_session_event PRIMARY KEY (id),
    CONSTRAINT fk_session_event_session_id FOREIGN KEY(session_id) REFERENCES session (id),
    CONSTRAINT fk_session_event_agent_id FOREIGN KEY(agent_id) REFERENCES account (id),
    CONSTRAINT fk_session_event_queue_id FOREIGN KEY(queue_id) REFERENCES text_queue (id)
);

CREATE INDEX ix_session_event_session_id_id ON session_event (session_id, id);

CREATE TABLE transfer (
    id INTEGER NOT NULL,
    session_id BIGINT NOT NULL,
    by_agent BIGINT NOT NULL,
    to_agent BIGINT,
    to_queue BIGINT,
    note TEXT DEFAULT '' NOT NULL,
    state TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    closed_at BIGINT,
    why TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_transfer PRIMARY KEY (id),
    CONSTRAINT fk_transfer_session_id FOREIGN KEY(session_id) REFERENCES session (id),
    CONSTRAINT fk_transfer_by_agent FOREIGN KEY(by_agent) REFERENCES account (id),
    CONSTRAINT fk_transfer_to_agent FOREIGN KEY(to_agent) REFERENCES account (id),
    CONSTRAINT fk_transfer_to_queue FOREIGN KEY(to_queue) REFERENCES text_queue (id)
);

CREATE INDEX ix_transfer_due_at ON transfer (due_at) WHERE state = 'requested';

CREATE INDEX ix_transfer_session_id ON transfer (session_id);

CREATE INDEX ix_transfer_to_agent ON transfer (to_agent) WHERE state = 'requested';

CREATE INDEX ix_transfer_to_queue ON transfer (to_queue) WHERE state = 'requested';

CREATE TABLE receipt (
    id INTEGER NOT NULL,
    attempt_id BIGINT NOT NULL,
    carrier TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    status TEXT NOT NULL,
    carrier_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    error TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_receipt PRIMARY KEY (id),
    CONSTRAINT uq_receipt_carrier_provider_id_status_carrier_at UNIQUE (carrier, provider_id, status, carrier_at),
    CONSTRAINT fk_receipt_attempt_id FOREIGN KEY(attempt_id) REFERENCES attempt (id)
);

CREATE INDEX ix_receipt_attempt_id ON receipt (attempt_id);

CREATE VIRTUAL TABLE search_out USING fts5(words, whose, columnsize=0, prefix='2 3',
    tokenize='unicode61 remove_diacritics 2');

CREATE VIRTUAL TABLE search_in USING fts5(words, whose, columnsize=0, prefix='2 3',
    tokenize='unicode61 remove_diacritics 2');

CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the record of who did what stays as it was written');
END;

CREATE TRIGGER audit_stays BEFORE DELETE ON audit WHEN NOT EXISTS (SELECT 1 FROM setting WHERE key = 'audit:door' AND CAST(value AS BIGINT) >= OLD.id) BEGIN
    SELECT RAISE(ABORT, 'the record of who did what stays as it was written');
END;

CREATE TRIGGER audit_unreplaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) BEGIN
    SELECT RAISE(ABORT, 'the record of who did what stays as it was written');
END;

INSERT INTO text_queue (public_id, name, main, plan, created_at, changed_at)
VALUES ('que_00000000000000000000000000', 'main', true, '{}', 0, 0);

CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));

INSERT INTO alembic_version (version_num) VALUES ('0007');

COMMIT;
