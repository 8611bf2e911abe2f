-- Money that came in unasked. One transaction of the gateway's is one row, which is never removed. Whoever wants to know
-- reads them in the order of their sequence, which is given anew whenever there is something to tell, by the one that
-- writes.

CREATE TABLE credits (
    id BIGINT PRIMARY KEY CHECK (id >= 1),
    sequence BIGINT UNIQUE CHECK (sequence >= 1),
    provider TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind <> ''),
    value TEXT NOT NULL CHECK (value <> ''),
    also TEXT,
    amount_minor BIGINT NOT NULL CONSTRAINT money_came_in CHECK (amount_minor > 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    state TEXT NOT NULL CONSTRAINT a_credit_has_a_state_there_is CHECK (state IN (
        'claimed', 'confirmed', 'review', 'collected')),
    attention TEXT,
    expected TEXT,
    claimed TEXT,
    delivery BIGINT NOT NULL REFERENCES deliveries (id),
    payment BIGINT REFERENCES payments (id),
    at BIGINT,
    received_at BIGINT NOT NULL,
    answered_at BIGINT,
    changed_at BIGINT NOT NULL,
    asks BIGINT NOT NULL CHECK (asks >= 0),
    next_at BIGINT,
    credit TEXT,
    UNIQUE (provider, value, kind),
    CONSTRAINT no_credit_is_forgotten CHECK (CASE state
        WHEN 'claimed' THEN next_at IS NOT NULL AND sequence IS NULL
        WHEN 'confirmed' THEN answered_at IS NOT NULL AND sequence IS NOT NULL AND next_at IS NULL
        WHEN 'review' THEN attention IS NOT NULL AND sequence IS NOT NULL AND next_at IS NULL
        ELSE payment IS NOT NULL AND next_at IS NULL END)
);

CREATE INDEX credits_also ON credits (provider, also) WHERE also IS NOT NULL;
CREATE INDEX credits_due ON credits (provider, next_at, id) WHERE next_at IS NOT NULL;
CREATE INDEX credits_erasable ON credits (changed_at) WHERE state <> 'claimed' AND credit IS NOT NULL;
CREATE INDEX payments_by_receipt ON payments (provider, receipt)
    WHERE operation = 'collect' AND receipt IS NOT NULL;

CREATE TRIGGER a_credit_begins_claimed BEFORE INSERT ON credits FOR EACH ROW
    WHEN (NEW.state <> 'claimed')
    EXECUTE FUNCTION refuse('a credit begins in the middle');

CREATE TRIGGER a_credit_stays_what_it_is BEFORE UPDATE ON credits FOR EACH ROW
    WHEN (NEW.id IS DISTINCT FROM OLD.id OR NEW.provider IS DISTINCT FROM OLD.provider
        OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.value IS DISTINCT FROM OLD.value
        OR NEW.delivery IS DISTINCT FROM OLD.delivery OR NEW.received_at IS DISTINCT FROM OLD.received_at
        OR (OLD.state = 'confirmed' AND (NEW.amount_minor IS DISTINCT FROM OLD.amount_minor
            OR NEW.currency IS DISTINCT FROM OLD.currency
            OR NEW.answered_at IS DISTINCT FROM OLD.answered_at)))
    EXECUTE FUNCTION refuse('what a credit is was changed');

CREATE TRIGGER a_credit_takes_steps_there_are BEFORE UPDATE ON credits FOR EACH ROW
    WHEN (NEW.state <> OLD.state AND NOT (CASE OLD.state
        WHEN 'claimed' THEN NEW.state IN ('confirmed', 'review', 'collected')
        WHEN 'confirmed' THEN NEW.state IN ('review', 'collected')
        WHEN 'review' THEN NEW.state IN ('confirmed', 'collected')
        ELSE FALSE END))
    EXECUTE FUNCTION refuse('a credit took a step that there is not');

-- Looks in the tables of this schema, whatever the one who writes by hand has set.
CREATE FUNCTION tell_anew() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.sequence IS NULL OR NEW.sequence <= OLD.sequence
        OR EXISTS (SELECT 1 FROM credits WHERE sequence >= NEW.sequence)
    THEN
        RAISE EXCEPTION 'a change of a credit would not be told'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER a_credit_is_told_anew BEFORE UPDATE ON credits FOR EACH ROW
    WHEN (NEW.sequence IS DISTINCT FROM OLD.sequence
        OR (NEW.state <> OLD.state AND OLD.sequence IS NOT NULL))
    EXECUTE FUNCTION tell_anew();

CREATE TRIGGER a_credit_is_not_removed BEFORE DELETE ON credits FOR EACH ROW
    EXECUTE FUNCTION refuse('a credit is never removed');

CREATE TRIGGER credits_are_not_emptied BEFORE TRUNCATE ON credits
    EXECUTE FUNCTION refuse('a credit is never removed');
