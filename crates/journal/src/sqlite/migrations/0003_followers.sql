-- How far each follower is in each stream: nothing up to there is given to it again.
CREATE TABLE followers (
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    stream TEXT NOT NULL,
    position INTEGER NOT NULL CHECK (position >= 0),
    PRIMARY KEY (name, stream)
) STRICT, WITHOUT ROWID;

-- Whether an event comes of reading a delivery once more.
ALTER TABLE events ADD COLUMN replayed INTEGER NOT NULL DEFAULT 0 CHECK (replayed IN (0, 1));
