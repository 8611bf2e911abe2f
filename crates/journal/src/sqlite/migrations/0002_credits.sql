-- Money that came in unasked. One transaction of the gateway's is one row, which is never removed. Whoever wants to know
-- reads them in the order of their sequence, which is given anew whenever there is something to tell.

CREATE TABLE credits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sequence INTEGER UNIQUE CHECK (sequence >= 1),
    provider TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind <> ''),
    value TEXT NOT NULL CHECK (value <> ''),
    also TEXT,
    amount_minor INTEGER NOT NULL CONSTRAINT money_came_in CHECK (amount_minor > 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    state TEXT NOT NULL CONSTRAINT a_credit_has_a_state_there_is CHECK (state IN (
        'claimed', 'confirmed', 'review', 'collected')),
    attention TEXT,
    expected TEXT,
    claimed TEXT,
    delivery INTEGER NOT NULL REFERENCES deliveries (id),
    payment INTEGER REFERENCES payments (id),
    at INTEGER,
    received_at INTEGER NOT NULL,
    answered_at INTEGER,
    changed_at INTEGER NOT NULL,
    asks INTEGER NOT NULL CHECK (asks >= 0),
    next_at INTEGER,
    credit TEXT,
    UNIQUE (provider, value, kind),
    CONSTRAINT no_credit_is_forgotten CHECK (CASE state
        WHEN 'claimed' THEN next_at IS NOT NULL AND sequence IS NULL
        WHEN 'confirmed' THEN answered_at IS NOT NULL AND sequence IS NOT NULL AND next_at IS NULL
        WHEN 'review' THEN attention IS NOT NULL AND sequence IS NOT NULL AND next_at IS NULL
        ELSE payment IS NOT NULL AND next_at IS NULL END)
) STRICT;

CREATE INDEX credits_also ON credits (provider, also) WHERE also IS NOT NULL;
CREATE INDEX credits_due ON credits (provider, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX credits_erasable ON credits (changed_at) WHERE state <> 'claimed' AND credit IS NOT NULL;
CREATE INDEX payments_by_receipt ON payments (provider, receipt)
    WHERE operation = 'collect' AND receipt IS NOT NULL;

CREATE TRIGGER a_credit_begins_claimed BEFORE INSERT ON credits
WHEN NEW.state <> 'claimed'
BEGIN
    SELECT RAISE(ABORT, 'a credit begins in the middle');
END;

-- INSERT OR REPLACE removes without asking the trigger below.
CREATE TRIGGER a_credit_is_not_replaced BEFORE INSERT ON credits
WHEN EXISTS (SELECT 1 FROM credits WHERE id = NEW.id OR sequence = NEW.sequence
    OR (provider = NEW.provider AND value = NEW.value AND kind = NEW.kind))
BEGIN
    SELECT RAISE(ABORT, 'a transaction or a number is of two credits');
END;

CREATE TRIGGER a_credit_stays_what_it_is BEFORE UPDATE ON credits
WHEN NEW.id IS NOT OLD.id OR NEW.provider IS NOT OLD.provider OR NEW.kind IS NOT OLD.kind
    OR NEW.value IS NOT OLD.value OR NEW.delivery IS NOT OLD.delivery
    OR NEW.received_at IS NOT OLD.received_at
    OR (OLD.state = 'confirmed' AND (NEW.amount_minor IS NOT OLD.amount_minor
        OR NEW.currency IS NOT OLD.currency OR NEW.answered_at IS NOT OLD.answered_at))
BEGIN
    SELECT RAISE(ABORT, 'what a credit is was changed');
END;

CREATE TRIGGER a_credit_takes_steps_there_are BEFORE UPDATE ON credits
WHEN NEW.state <> OLD.state AND NOT (CASE OLD.state
    WHEN 'claimed' THEN NEW.state IN ('confirmed', 'review', 'collected')
    WHEN 'confirmed' THEN NEW.state IN ('review', 'collected')
    WHEN 'review' THEN NEW.state IN ('confirmed', 'collected')
    ELSE FALSE END)
BEGIN
    SELECT RAISE(ABORT, 'a credit took a step that there is not');
END;

CREATE TRIGGER a_credit_is_told_anew BEFORE UPDATE ON credits
WHEN (OLD.sequence IS NOT NULL AND (NEW.sequence IS NULL OR NEW.sequence < OLD.sequence
        OR (NEW.state <> OLD.state AND NEW.sequence = OLD.sequence)))
    OR (NEW.sequence IS NOT OLD.sequence AND EXISTS (SELECT 1 FROM credits WHERE sequence >= NEW.sequence))
BEGIN
    SELECT RAISE(ABORT, 'a change of a credit would not be told');
END;

CREATE TRIGGER a_credit_is_not_removed BEFORE DELETE ON credits
BEGIN
    SELECT RAISE(ABORT, 'a credit is never removed');
END;
