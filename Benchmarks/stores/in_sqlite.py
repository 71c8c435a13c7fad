"""SQLite: the rows in a tree by mark and time, a second one by camera and time."""
import json, os, sqlite3
import duckdb


class Store:
    name = "sqlite"

    def __init__(self, work):
        self.path = f"{work}/store.sqlite"
        self.base = sqlite3.connect(self.path)
        self.base.execute("PRAGMA journal_mode = WAL")
        self.base.execute("PRAGMA synchronous = NORMAL")
        self.base.execute("PRAGMA cache_size = -262144")
        self.base.execute("""
            CREATE TABLE sightings (vrm TEXT, first INTEGER, last INTEGER, captured INTEGER, camera INTEGER, confidence INTEGER,
                reads INTEGER, parts TEXT, PRIMARY KEY (vrm, first, camera)) WITHOUT ROWID""")
        self.base.execute("CREATE INDEX times ON sightings (camera, first)")

    def load(self, parquet, day):
        found = duckdb.execute(f"""
            SELECT vrm, first, last, captured, camera, confidence, reads, nullif(to_json([
                [one.camera, one.reads, one.first, one.confidence] FOR one IN parts])::VARCHAR, '[]') FROM '{parquet}'""")
        while rows := found.fetchmany(50_000):
            self.base.executemany("INSERT INTO sightings VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self.base.commit()

    def finish(self):
        self.base.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def bytes(self):
        return os.path.getsize(self.path)

    def history(self, mark):
        return self.rows("vrm = ?", [mark])

    def guess(self, pattern):
        # What stands before the place to guess is looked up in the tree.
        head = pattern.split("_")[0]
        return self.rows("vrm >= ? AND vrm < ? AND vrm LIKE ?", [head, head + "~", pattern])

    def hour(self, hour):
        return self.rows("camera = ? AND first BETWEEN ? AND ?", hour)

    def rows(self, condition, values):
        found = self.base.execute(f"SELECT * FROM sightings WHERE {condition} ORDER BY first DESC", values).fetchall()
        return [row[:7] + (json.loads(row[7]) if row[7] else [],) for row in found]

    def close(self):
        self.base.close()
