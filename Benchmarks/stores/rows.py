"""An archive's sightings, day by day, as rows of numbers that databases pack well."""
import os, subprocess
from concurrent.futures import ThreadPoolExecutor
import duckdb

def days(data):
    """The days that an archive has, by its folders."""
    return sorted(name for name in os.listdir(f"{data}/archive") if os.path.isdir(f"{data}/archive/{name}"))


def write_day(anpr, data, day, path):
    """The sightings that have to do with a day, as Parquet."""
    subprocess.run(
        [anpr, "query", "--from", f"{day}T00:00:00Z", "--to", f"{day}T23:59:59.999Z", "--format", "parquet", "--output", path,
         "--reason", "handing the day to other stores", "--data", data],
        stderr=subprocess.DEVNULL, check=True)


def as_numbers(duck, own, day, path):
    """Those that begin on the day as Parquet, in the order of mark and time: mark, first (ms since 1970), differences of last
    and captured, camera's number, confidence (-1 for none), reads, and contributions (camera, reads, first's difference,
    confidence), of which a single one that says no more than its sighting is left out."""
    duck.execute("SET TimeZone = 'UTC'")
    duck.execute(f"CREATE OR REPLACE TEMP TABLE lines AS SELECT * FROM '{own}' WHERE first::DATE = '{day}'")
    duck.execute("""
        INSERT INTO cameras
        SELECT name, (SELECT count(*) FROM cameras) + row_number() OVER (ORDER BY name) - 1
        FROM (SELECT DISTINCT one.camera AS name FROM (SELECT unnest(contributions) AS one FROM lines))
        WHERE name NOT IN (SELECT name FROM cameras)""")
    duck.execute("SET VARIABLE number = (SELECT map(list(name), list(number)) FROM cameras)")
    duck.execute(f"""
        COPY (
            SELECT vrm, epoch_ms(first) AS first, (epoch_ms(last) - epoch_ms(first))::INTEGER AS last,
                (epoch_ms(captured) - epoch_ms(first))::INTEGER AS captured,
                getvariable('number')[camera]::SMALLINT AS camera, coalesce(confidence, -1)::TINYINT AS confidence, reads::INTEGER AS reads,
                CASE WHEN len(contributions) = 1 AND contributions[1].reads = reads AND contributions[1].first = first
                    AND contributions[1].confidence IS NOT DISTINCT FROM confidence THEN []
                ELSE [{{
                    camera: getvariable('number')[one.camera]::SMALLINT, reads: one.reads::INTEGER,
                    first: (epoch_ms(one.first) - epoch_ms(lines.first))::INTEGER,
                    confidence: coalesce(one.confidence, -1)::TINYINT
                }} FOR one IN contributions] END AS parts
            FROM lines ORDER BY vrm, lines.first, camera
        ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)""")


def hand(anpr, data, of, folder):
    """Each of the days as a file of rows in the folder, in order, and their number; one that is there already is taken as it is.
    While one is made into numbers the next is read from the archive."""
    os.makedirs(folder, exist_ok=True)
    duck = duckdb.connect(f"{folder}/cameras.duckdb")
    duck.execute("CREATE TABLE IF NOT EXISTS cameras (name VARCHAR, number SMALLINT)")
    missing = [day for day in of if not os.path.exists(f"{folder}/{day}.parquet")]

    def read(day):
        write_day(anpr, data, day, f"{folder}/{day}.own.parquet")
        return day

    with ThreadPoolExecutor(max_workers=1) as readers:
        ahead = [readers.submit(read, day) for day in missing[:2]]
        for place in range(len(missing)):
            day = ahead.pop(0).result()
            if place + 2 < len(missing):
                ahead.append(readers.submit(read, missing[place + 2]))
            own, parquet = f"{folder}/{day}.own.parquet", f"{folder}/{day}.parquet"
            as_numbers(duck, own, day, f"{folder}/new.parquet")
            os.remove(own)
            os.chmod(f"{folder}/new.parquet", 0o644)
            os.rename(f"{folder}/new.parquet", parquet)
    duck.close()
    files = [(day, f"{folder}/{day}.parquet") for day in of]
    return files, sum(duckdb.execute(f"SELECT count(*) FROM '{file}'").fetchone()[0] for _, file in files)
