"""Numbers and days of metadata, to be found from one to another, in the order in which their photos came in.

An index of hashes (:mod:`labeling.catalog.metadata_parts`) knows no more and no less, so a trigger keeps a row for each
value that is a number, also one written as a text, or that begins with a day (ISO 8601, extended form). A day is known by
its digits, as the standard's basic form has it: 2026-11-29 as 20261129. Rows are found by name, block of ids and number:
each block's photos are sorted, and no more of them are read than are wanted.
"""

#: ``catalog_as_number``: null of what is neither.
CREATE = r"""
CREATE FUNCTION catalog_as_number(value text) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN value ~ '^[-+]?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$' THEN value::double precision
                WHEN value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]|$)'
                    THEN replace(left(value, 10), '-', '')::double precision END
$$;
CREATE FUNCTION catalog_keep_numbers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM catalog_metadatanumber WHERE item_id = OLD.item_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO catalog_metadatanumber (item_id, name, project_id, number)
        SELECT NEW.item_id, key, NEW.project_id, number
        FROM jsonb_each_text(NEW.data), catalog_as_number(value) number WHERE number IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_numbers AFTER INSERT OR UPDATE OR DELETE ON catalog_metadata
    FOR EACH ROW EXECUTE FUNCTION catalog_keep_numbers();
"""
#: Of what was there before.
FILL = """
INSERT INTO catalog_metadatanumber (item_id, name, project_id, number)
SELECT item_id, key, project_id, number
FROM catalog_metadata, jsonb_each_text(data), catalog_as_number(value) number WHERE number IS NOT NULL
ON CONFLICT DO NOTHING;
"""
DROP = """
DROP TRIGGER keep_numbers ON catalog_metadata;
DROP FUNCTION catalog_keep_numbers(), catalog_as_number(text);
"""
