-- Times are milliseconds since 1970, UTC. Money is whole minor units with its currency. Names are those that Malipo
-- promises to keep. What names people stands in columns of its own, so that it can be erased.

CREATE TABLE payments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 100),
    generation INTEGER NOT NULL CHECK (generation >= 1),
    provider TEXT NOT NULL,
    operation TEXT NOT NULL,
    reference TEXT NOT NULL CHECK (length(reference) BETWEEN 1 AND 64),
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    opened_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN (
        'recorded', 'sending', 'accepted', 'unknown', 'paid', 'failed', 'reversed', 'review', 'cancelled')),
    exposure TEXT NOT NULL CHECK (exposure IN ('none', 'latest', 'earlier')),
    attention TEXT,
    expected TEXT,
    claimed TEXT,
    attempt INTEGER NOT NULL CHECK (attempt >= 0),
    receipt TEXT,
    code TEXT,
    goods INTEGER NOT NULL CHECK (goods >= 0),
    resend TEXT NOT NULL CHECK (resend IN ('never', 'same_reference', 'after_absence')),
    resend_times INTEGER,
    resend_quiet INTEGER,
    resend_within INTEGER,
    twins TEXT NOT NULL CHECK (twins IN ('sent', 'held')),
    asks INTEGER NOT NULL CHECK (asks >= 0),
    absences INTEGER NOT NULL CHECK (absences >= 0),
    absent_at INTEGER,
    fence INTEGER NOT NULL CHECK (fence >= 0),
    worker TEXT,
    leased_until INTEGER,
    next_at INTEGER,
    changed_at INTEGER NOT NULL,
    over_at INTEGER,
    fingerprint BLOB CHECK (length(fingerprint) = 32),
    instruction TEXT,
    events INTEGER NOT NULL CHECK (events >= 1),
    version INTEGER NOT NULL CHECK (version >= 0),
    UNIQUE (key, generation),
    UNIQUE (provider, reference),
    CHECK ((worker IS NULL) = (leased_until IS NULL)),
    CONSTRAINT nothing_is_forgotten CHECK (CASE state
        WHEN 'sending' THEN leased_until IS NOT NULL
        WHEN 'accepted' THEN next_at IS NOT NULL
        WHEN 'unknown' THEN next_at IS NOT NULL
        WHEN 'recorded' THEN next_at IS NOT NULL OR attention IS NOT NULL
        WHEN 'review' THEN attention IS NOT NULL
        ELSE over_at IS NOT NULL AND next_at IS NULL END)
) STRICT;

CREATE UNIQUE INDEX one_open_payment_of_a_key ON payments (key)
    WHERE state IN ('recorded', 'sending', 'accepted', 'unknown', 'review');
CREATE INDEX payments_due ON payments (provider, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX payments_flagged ON payments (id) WHERE attention IS NOT NULL;
CREATE INDEX payments_by_state ON payments (state);
CREATE INDEX payments_exposed ON payments (provider, operation, amount_minor)
    WHERE state IN ('sending', 'accepted', 'unknown', 'review');
CREATE INDEX payments_erasable ON payments (over_at) WHERE over_at IS NOT NULL AND instruction IS NOT NULL;

CREATE TRIGGER a_payment_stays_what_it_is BEFORE UPDATE ON payments
WHEN NEW.id IS NOT OLD.id OR NEW.key IS NOT OLD.key OR NEW.generation IS NOT OLD.generation
    OR NEW.provider IS NOT OLD.provider OR NEW.operation IS NOT OLD.operation
    OR NEW.reference IS NOT OLD.reference OR NEW.amount_minor IS NOT OLD.amount_minor
    OR NEW.currency IS NOT OLD.currency OR NEW.opened_at IS NOT OLD.opened_at
    OR NEW.fence < OLD.fence OR NEW.attempt < OLD.attempt
BEGIN
    SELECT RAISE(ABORT, 'what a payment is was changed');
END;

CREATE TRIGGER a_payment_is_not_removed BEFORE DELETE ON payments
BEGIN
    SELECT RAISE(ABORT, 'a payment is never removed');
END;

-- INSERT OR REPLACE removes without asking the trigger above.
CREATE TRIGGER a_payment_is_not_replaced BEFORE INSERT ON payments
WHEN EXISTS (SELECT 1 FROM payments WHERE id = NEW.id
    OR (key = NEW.key AND generation = NEW.generation)
    OR (provider = NEW.provider AND reference = NEW.reference)
    OR (key = NEW.key AND state IN ('recorded', 'sending', 'accepted', 'unknown', 'review')))
BEGIN
    SELECT RAISE(ABORT, 'a key, a reference or a number names two payments');
END;

CREATE TABLE provider_refs (
    id INTEGER PRIMARY KEY,
    payment INTEGER NOT NULL REFERENCES payments (id),
    provider TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (payment, kind)
) STRICT;

CREATE INDEX provider_refs_by_value ON provider_refs (provider, kind, value);

CREATE TABLE attempts (
    payment INTEGER NOT NULL REFERENCES payments (id),
    number INTEGER NOT NULL CHECK (number >= 1),
    operation TEXT NOT NULL,
    worker TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_as TEXT CHECK (ended_as IN ('not_sent', 'throttled', 'refused', 'accepted', 'unknown')),
    code TEXT,
    text TEXT,
    status INTEGER,
    request_id TEXT,
    PRIMARY KEY (payment, number),
    CHECK ((ended_at IS NULL) = (ended_as IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER an_attempt_ends_once BEFORE UPDATE ON attempts
WHEN NEW.payment IS NOT OLD.payment OR NEW.number IS NOT OLD.number OR NEW.operation IS NOT OLD.operation
    OR NEW.began_at IS NOT OLD.began_at
    OR (OLD.ended_as IS NOT NULL AND (NEW.ended_as IS NOT OLD.ended_as OR NEW.ended_at IS NOT OLD.ended_at))
BEGIN
    SELECT RAISE(ABORT, 'an attempt ended twice');
END;

CREATE TRIGGER an_attempt_is_not_removed BEFORE DELETE ON attempts
BEGIN
    SELECT RAISE(ABORT, 'an attempt is never removed');
END;

CREATE TRIGGER an_attempt_is_not_replaced BEFORE INSERT ON attempts
WHEN EXISTS (SELECT 1 FROM attempts WHERE payment = NEW.payment AND number = NEW.number)
BEGIN
    SELECT RAISE(ABORT, 'an attempt began twice');
END;

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    provider TEXT NOT NULL,
    purpose TEXT NOT NULL,
    addressed TEXT,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    received_at INTEGER NOT NULL,
    payment INTEGER REFERENCES payments (id),
    applied_at INTEGER,
    set_aside TEXT,
    headers TEXT,
    body BLOB,
    CHECK (applied_at IS NULL OR payment IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX a_delivery_is_stored_once ON deliveries (digest, provider, purpose, ifnull(addressed, ''));
CREATE INDEX deliveries_of_payment ON deliveries (payment) WHERE payment IS NOT NULL;
CREATE INDEX deliveries_erasable ON deliveries (received_at)
    WHERE payment IS NULL AND set_aside IS NOT NULL AND body IS NOT NULL;
CREATE INDEX deliveries_waiting ON deliveries (provider, id) WHERE applied_at IS NULL AND set_aside IS NULL;
CREATE INDEX deliveries_set_aside ON deliveries (id) WHERE set_aside IS NOT NULL;

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    payment INTEGER NOT NULL REFERENCES payments (id),
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    from_state TEXT NOT NULL CHECK (from_state IN (
        'recorded', 'sending', 'accepted', 'unknown', 'paid', 'failed', 'reversed', 'review', 'cancelled')),
    to_state TEXT NOT NULL CHECK (to_state IN (
        'recorded', 'sending', 'accepted', 'unknown', 'paid', 'failed', 'reversed', 'review', 'cancelled')),
    attempt INTEGER,
    delivery INTEGER REFERENCES deliveries (id),
    code TEXT,
    attention TEXT,
    expected TEXT,
    claimed TEXT,
    operator TEXT,
    note TEXT,
    UNIQUE (payment, sequence)
) STRICT;

CREATE UNIQUE INDEX one_event_for_each_end ON events (payment, to_state)
    WHERE from_state <> to_state AND to_state IN ('paid', 'failed', 'reversed', 'cancelled');

CREATE TRIGGER events_have_no_gap BEFORE INSERT ON events
WHEN NEW.sequence IS NOT 1 + (SELECT coalesce(max(sequence), 0) FROM events WHERE payment = NEW.payment)
    OR EXISTS (SELECT 1 FROM events WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'the events of a payment have a gap');
END;

CREATE TRIGGER a_payment_ends_in_one_way_once BEFORE INSERT ON events
WHEN NEW.from_state <> NEW.to_state AND NEW.to_state IN ('paid', 'failed', 'reversed', 'cancelled')
    AND EXISTS (SELECT 1 FROM events
        WHERE payment = NEW.payment AND to_state = NEW.to_state AND from_state <> to_state)
BEGIN
    SELECT RAISE(ABORT, 'a payment ended in one way twice');
END;

CREATE TRIGGER an_event_is_not_changed BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'an event is never changed');
END;

CREATE TRIGGER an_event_is_not_removed BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'an event is never removed');
END;

CREATE TABLE reports (
    id INTEGER PRIMARY KEY,
    payment INTEGER NOT NULL REFERENCES payments (id),
    event INTEGER NOT NULL REFERENCES events (id),
    report TEXT,
    goods TEXT,
    raw BLOB
) STRICT;

CREATE INDEX reports_of_payment ON reports (payment);
