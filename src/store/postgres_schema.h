#pragma once

// What PostgreSQL has beside the tables that schema.cpp makes for both dialects.
namespace prismvid::store {

/// What the stores' SQL takes for granted (database.h).
inline constexpr char kPostgresFunctions[] = R"sql(
CREATE FUNCTION time_text(seconds BIGINT) RETURNS TEXT LANGUAGE sql VOLATILE AS
  $$ SELECT to_char((clock_timestamp() + seconds * interval '1 second') AT TIME ZONE 'UTC',
                    'YYYY-MM-DD"T"HH24:MI:SS"Z"') $$;
CREATE FUNCTION now_ms() RETURNS BIGINT LANGUAGE sql STABLE AS
  $$ SELECT CAST(floor(extract(epoch FROM statement_timestamp()) * 1000) AS BIGINT) $$;
CREATE FUNCTION instr(text TEXT, part TEXT) RETURNS INTEGER LANGUAGE sql IMMUTABLE AS
  $$ SELECT strpos(text, part) $$;
CREATE FUNCTION json_each(list TEXT) RETURNS TABLE (value TEXT) LANGUAGE sql IMMUTABLE AS
  $$ SELECT json_array_elements_text(CAST(list AS json)) $$;
CREATE FUNCTION json_extract(value TEXT, path TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS
  $$ SELECT jsonb_path_query_first(CAST(value AS jsonb), CAST(path AS jsonpath)) #>> '{}' $$;

-- Who listens hears of every commit that changes the table; TG_ARGV[0] is the channel.
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_notify(TG_ARGV[0], ''); RETURN NULL; END $$;
)sql";

/// Rows of videos in the order they came, which SQLite has by itself.
inline constexpr char kPostgresResults[] = R"sql(
ALTER TABLE videos ADD COLUMN rowid BIGINT GENERATED ALWAYS AS IDENTITY;
CREATE TRIGGER videos_tell AFTER INSERT OR UPDATE OR DELETE ON videos
  EXECUTE FUNCTION tell('prismvid_library');
CREATE TRIGGER documents_tell AFTER INSERT OR UPDATE OR DELETE ON documents
  EXECUTE FUNCTION tell('prismvid_library');
-- Pictures are compressed already.
ALTER TABLE blobs ALTER COLUMN bytes SET STORAGE EXTERNAL;
ALTER TABLE early_blobs ALTER COLUMN bytes SET STORAGE EXTERNAL;
)sql";

inline constexpr char kPostgresPeople[] = R"sql(
CREATE TRIGGER people_tell AFTER INSERT OR UPDATE OR DELETE ON people
  EXECUTE FUNCTION tell('prismvid_library');
CREATE TRIGGER faces_tell AFTER INSERT OR UPDATE OR DELETE ON faces
  EXECUTE FUNCTION tell('prismvid_library');
CREATE TRIGGER edits_tell AFTER INSERT OR UPDATE OR DELETE ON edits
  EXECUTE FUNCTION tell('prismvid_library');
)sql";

inline constexpr char kPostgresService[] = R"sql(
CREATE TRIGGER jobs_tell AFTER INSERT OR UPDATE OF state ON jobs
  EXECUTE FUNCTION tell('prismvid_jobs');
CREATE TRIGGER job_events_tell AFTER INSERT ON job_events
  EXECUTE FUNCTION tell('prismvid_jobs');
)sql";

/// The words of a moment are its stems at their places, as FTS5 splits them: PostgreSQL's own
/// parser would make other words of some, depending on the database's locale. Places end at 16383.
inline constexpr char kPostgresSearch[] = R"sql(
CREATE FUNCTION words_of(terms TEXT) RETURNS tsvector LANGUAGE sql IMMUTABLE AS
  $$ SELECT CAST(coalesce(string_agg('''' || replace(replace(word, '\', '\\'), '''', '''''') || ''':'
                                     || least(place, 16383), ' '), '') AS tsvector)
     FROM unnest(string_to_array(terms, ' ')) WITH ORDINALITY AS t (word, place)
     WHERE word <> '' AND octet_length(word) < 2000 $$;
ALTER TABLE moments ADD COLUMN words tsvector GENERATED ALWAYS AS (words_of(terms)) STORED;
CREATE INDEX moments_by_words ON moments USING gin (words);

CREATE TABLE indexed_words (moments BIGINT NOT NULL, words BIGINT NOT NULL);
INSERT INTO indexed_words VALUES (0, 0);
CREATE FUNCTION count_words() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN
    UPDATE indexed_words t SET moments = t.moments + c.moments, words = t.words + c.words
      FROM (SELECT count(*) * CAST(TG_ARGV[0] AS BIGINT) AS moments,
                   coalesce(sum(length(m.words)), 0) * CAST(TG_ARGV[0] AS BIGINT) AS words
            FROM changed m) c WHERE c.moments <> 0;
    RETURN NULL;
  END $$;
CREATE TRIGGER moments_added AFTER INSERT ON moments REFERENCING NEW TABLE AS changed
  EXECUTE FUNCTION count_words('1');
CREATE TRIGGER moments_deleted AFTER DELETE ON moments REFERENCING OLD TABLE AS changed
  EXECUTE FUNCTION count_words('-1');

CREATE FUNCTION index_is_old() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN
    IF TG_TABLE_NAME = 'documents' THEN DELETE FROM moments WHERE video_id = NEW.video_id; END IF;
    DELETE FROM indexed_documents WHERE video_id = NEW.video_id;
    RETURN NULL;
  END $$;
CREATE TRIGGER documents_changed AFTER UPDATE OF json ON documents
  FOR EACH ROW EXECUTE FUNCTION index_is_old();
CREATE TRIGGER edits_added AFTER INSERT OR UPDATE OF undone_at ON edits
  FOR EACH ROW EXECUTE FUNCTION index_is_old();
)sql";

}  // namespace prismvid::store
