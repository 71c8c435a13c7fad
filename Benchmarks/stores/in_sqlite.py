"""SQLite: a table a month, since a tree over a year outgrows what memory there is for loading it; in each the rows in a tree by mark and
time, and a second one by camera and time, made when all is in."""
import json, os, sqlite3
import duckdb


class Store:
    name = "sqlite"

    def __init__(self, work):
        self.path = f"{work}/store.sqlite"
        self.months = []
        self.open()

    def open(self):
        self.base = sqlite3.connect(self.path)
        self.base.execute("PRAGMA journal_mode = WAL")
        self.base.execute("PRAGMA synchronous = NORMAL")
        self.base.execute("PRAGMA cache_size = -2097152")

    def reopen(self):
        self.base.close()
        self.open()

    def load(self, parquet, day):
        name = "month" + day[:7].replace("-", "")
        if name not in self.months:
            self.months.append(name)
            self.base.execute(f"""
                CREATE TABLE {name} (vrm TEXT, first INTEGER, last INTEGER, captured INTEGER, camera INTEGER, confidence INTEGER,
                    reads INTEGER, parts TEXT, PRIMARY KEY (vrm, first, camera)) WITHOUT ROWID""")
        found = duckdb.execute(f"""
            SELECT vrm, first, last, captured, camera, confidence, reads, nullif(to_json([
                [one.camera, one.reads, one.first, one.confidence] FOR one IN parts])::VARCHAR, '[]') FROM '{parquet}'""")
        while rows := found.fetchmany(50_000):
            self.base.executemany(f"INSERT INTO {name} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self.base.commit()

    def finish(self):
        for month in self.months:
            self.base.execute(f"CREATE INDEX {month}_times ON {month} (camera, first)")
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
        found = []
        for month in sorted(self.months, reverse=True):
            found += self.base.execute(f"SELECT * FROM {month} WHERE {condition} ORDER BY first DESC", values).fetchall()
        return [row[:7] + (json.loads(row[7]) if row[7] else [],) for row in found]

    def close(self):
        self.base.close()
