-- Times are milliseconds since 1970, UTC. Money is whole minor units with its currency. Names are those that Malipo
-- promises to keep. What names people stands in columns of its own, so that it can be erased. Rows are numbered
-- without a gap by the one that writes.

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END
$$;

CREATE TABLE payments (
    id BIGINT PRIMARY KEY CHECK (id >= 1),
    key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 100),
    generation BIGINT NOT NULL CHECK (generation >= 1),
    provider TEXT NOT NULL,
    operation TEXT NOT NULL,
    reference TEXT NOT NULL CHECK (length(reference) BETWEEN 1 AND 64),
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    opened_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN (
        'recorded', 'sending', 'accepted', 'unknown', 'paid', 'failed', 'reversed', 'review', 'cancelled')),
    exposure TEXT NOT NULL CHECK (exposure IN ('none', 'latest', 'earlier')),
    attention TEXT,
    expected TEXT,
    claimed TEXT,
    attempt BIGINT NOT NULL CHECK (attempt >= 0),
    receipt TEXT,
    code TEXT,
    goods BIGINT NOT NULL CHECK (goods >= 0),
    resend TEXT NOT NULL CHECK (resend IN ('never', 'same_reference', 'after_absence')),
    resend_times BIGINT,
    resend_quiet BIGINT,
    resend_within BIGINT,
    twins TEXT NOT NULL CHECK (twins IN ('sent', 'held')),
    asks BIGINT NOT NULL CHECK (asks >= 0),
    absences BIGINT NOT NULL CHECK (absences >= 0),
    absent_at BIGINT,
    fence BIGINT NOT NULL CHECK (fence >= 0),
    worker TEXT,
    leased_until BIGINT,
    next_at BIGINT,
    changed_at BIGINT NOT NULL,
    over_at BIGINT,
    fingerprint BYTEA CHECK (length(fingerprint) = 32),
    instruction TEXT,
    events BIGINT NOT NULL CHECK (events >= 1),
    version BIGINT NOT NULL CHECK (version >= 0),
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
);

CREATE UNIQUE INDEX one_open_payment_of_a_key ON payments (key)
    WHERE state IN ('recorded', 'sending', 'accepted', 'unknown', 'review');
CREATE INDEX payments_open ON payments (id)
    WHERE state IN ('recorded', 'sending', 'accepted', 'unknown', 'review');
CREATE INDEX payments_due ON payments (provider, next_at, id) WHERE next_at IS NOT NULL;
CREATE INDEX payments_flagged ON payments (id) WHERE attention IS NOT NULL;
CREATE INDEX payments_by_state ON payments (state, id);
CREATE INDEX payments_exposed ON payments (provider, operation, amount_minor)
    WHERE state IN ('sending', 'accepted', 'unknown', 'review');
CREATE INDEX payments_erasable ON payments (over_at) WHERE over_at IS NOT NULL AND instruction IS NOT NULL;

CREATE TRIGGER a_payment_stays_what_it_is BEFORE UPDATE ON payments FOR EACH ROW
    WHEN (NEW.id IS DISTINCT FROM OLD.id OR NEW.key IS DISTINCT FROM OLD.key
        OR NEW.generation IS DISTINCT FROM OLD.generation OR NEW.provider IS DISTINCT FROM OLD.provider
        OR NEW.operation IS DISTINCT FROM OLD.operation OR NEW.reference IS DISTINCT FROM OLD.reference
        OR NEW.amount_minor IS DISTINCT FROM OLD.amount_minor OR NEW.currency IS DISTINCT FROM OLD.currency
        OR NEW.opened_at IS DISTINCT FROM OLD.opened_at
        OR NEW.fence < OLD.fence OR NEW.attempt < OLD.attempt)
    EXECUTE FUNCTION refuse('what a payment is was changed');

CREATE TRIGGER a_payment_is_not_removed BEFORE DELETE ON payments FOR EACH ROW
    EXECUTE FUNCTION refuse('a payment is never removed');

CREATE TRIGGER payments_are_not_emptied BEFORE TRUNCATE ON payments
    EXECUTE FUNCTION refuse('a payment is never removed');

CREATE TABLE provider_refs (
    id BIGINT PRIMARY KEY,
    payment BIGINT NOT NULL REFERENCES payments (id),
    provider TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (payment, kind)
);

CREATE INDEX provider_refs_by_value ON provider_refs (provider, kind, value);

CREATE TABLE attempts (
    payment BIGINT NOT NULL REFERENCES payments (id),
    number BIGINT NOT NULL CHECK (number >= 1),
    operation TEXT NOT NULL,
    worker TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    ended_at BIGINT,
    ended_as TEXT CHECK (ended_as IN ('not_sent', 'throttled', 'refused', 'accepted', 'unknown')),
    code TEXT,
    text TEXT,
    status BIGINT,
    request_id TEXT,
    PRIMARY KEY (payment, number),
    CHECK ((ended_at IS NULL) = (ended_as IS NULL))
);

CREATE TRIGGER an_attempt_ends_once BEFORE UPDATE ON attempts FOR EACH ROW
    WHEN (NEW.payment IS DISTINCT FROM OLD.payment OR NEW.number IS DISTINCT FROM OLD.number
        OR NEW.operation IS DISTINCT FROM OLD.operation OR NEW.began_at IS DISTINCT FROM OLD.began_at
        OR (OLD.ended_as IS NOT NULL AND (NEW.ended_as IS DISTINCT FROM OLD.ended_as
            OR NEW.ended_at IS DISTINCT FROM OLD.ended_at)))
    EXECUTE FUNCTION refuse('an attempt ended twice');

CREATE TRIGGER an_attempt_is_not_removed BEFORE DELETE ON attempts FOR EACH ROW
    EXECUTE FUNCTION refuse('an attempt is never removed');

CREATE TRIGGER attempts_are_not_emptied BEFORE TRUNCATE ON attempts
    EXECUTE FUNCTION refuse('an attempt is never removed');

CREATE TABLE deliveries (
    id BIGINT PRIMARY KEY CHECK (id >= 1),
    provider TEXT NOT NULL,
    purpose TEXT NOT NULL,
    addressed TEXT,
    digest BYTEA NOT NULL CHECK (length(digest) = 32),
    received_at BIGINT NOT NULL,
    payment BIGINT REFERENCES payments (id),
    applied_at BIGINT,
    set_aside TEXT,
    headers TEXT,
    body BYTEA,
    CHECK (applied_at IS NULL OR payment IS NOT NULL)
);

CREATE UNIQUE INDEX a_delivery_is_stored_once
    ON deliveries (digest, provider, purpose, coalesce(addressed, ''));
CREATE INDEX deliveries_of_payment ON deliveries (payment) WHERE payment IS NOT NULL;
CREATE INDEX deliveries_erasable ON deliveries (received_at)
    WHERE payment IS NULL AND set_aside IS NOT NULL AND body IS NOT NULL;
CREATE INDEX deliveries_waiting ON deliveries (provider, id) WHERE applied_at IS NULL AND set_aside IS NULL;
CREATE INDEX deliveries_set_aside ON deliveries (id) WHERE set_aside IS NOT NULL;

CREATE TABLE events (
    id BIGINT PRIMARY KEY CHECK (id >= 1),
    payment BIGINT NOT NULL REFERENCES payments (id),
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    from_state TEXT NOT NULL CHECK (from_state IN (
        'recorded', 'sending', 'accepted', 'unknown', 'paid', 'failed', 'reversed', 'review', 'cancelled')),
    to_state TEXT NOT NULL CHECK (to_state IN (
        'recorded', 'sending', 'accepted', 'unknown', 'paid', 'failed', 'reversed', 'review', 'cancelled')),
    attempt BIGINT,
    delivery BIGINT REFERENCES deliveries (id),
    code TEXT,
    attention TEXT,
    expected TEXT,
    claimed TEXT,
    operator TEXT,
    note TEXT,
    UNIQUE (payment, sequence)
);

CREATE UNIQUE INDEX one_event_for_each_end ON events (payment, to_state)
    WHERE from_state <> to_state AND to_state IN ('paid', 'failed', 'reversed', 'cancelled');

-- Looks in the tables of this schema, whatever the one who writes by hand has set.
CREATE FUNCTION follow_on() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.sequence IS DISTINCT FROM
        1 + (SELECT coalesce(max(sequence), 0) FROM events WHERE payment = NEW.payment)
    THEN
        RAISE EXCEPTION 'the events of a payment have a gap'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER events_have_no_gap BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION follow_on();

CREATE TRIGGER an_event_is_not_changed BEFORE UPDATE ON events FOR EACH ROW
    EXECUTE FUNCTION refuse('an event is never changed');

CREATE TRIGGER an_event_is_not_removed BEFORE DELETE ON events FOR EACH ROW
    EXECUTE FUNCTION refuse('an event is never removed');

CREATE TRIGGER events_are_not_emptied BEFORE TRUNCATE ON events
    EXECUTE FUNCTION refuse('an event is never removed');

CREATE TABLE reports (
    id BIGINT PRIMARY KEY,
    payment BIGINT NOT NULL REFERENCES payments (id),
    event BIGINT NOT NULL REFERENCES events (id),
    report TEXT,
    goods TEXT,
    raw BYTEA
);

CREATE INDEX reports_of_payment ON reports (payment);
