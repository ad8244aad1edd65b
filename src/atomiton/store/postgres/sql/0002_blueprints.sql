-- Blueprints as their authors keep them: every revision of every text. (The table blueprints holds
-- what runs are pinned to.) Times are seconds since 1970, UTC.

CREATE TABLE blueprint_heads (
    id text COLLATE "C" PRIMARY KEY,
    revision integer NOT NULL,
    created_at double precision NOT NULL,
    deleted_at double precision,
    search text NOT NULL
);

CREATE TABLE blueprint_revisions (
    id text COLLATE "C" NOT NULL,
    revision integer NOT NULL,
    etag text NOT NULL,
    hash text NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    description text NOT NULL,
    tags text[] NOT NULL,
    updated_at double precision NOT NULL,
    PRIMARY KEY (id, revision)
);

-- Each text once, however often it is restored.
CREATE TABLE blueprint_texts (
    etag text PRIMARY KEY,
    text text NOT NULL
);
