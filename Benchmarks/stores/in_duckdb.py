"""DuckDB: a table to which each day is appended in the order of its marks, by which whole groups of rows are passed over."""
import os
import duckdb


class Store:
    name = "duckdb"

    def __init__(self, work):
        self.path = f"{work}/store.duckdb"
        self.base = duckdb.connect(self.path)
        self.base.execute("""
            CREATE TABLE sightings (vrm VARCHAR, first BIGINT, last INTEGER, captured INTEGER, camera SMALLINT, confidence TINYINT,
                reads INTEGER, parts STRUCT(camera SMALLINT, reads INTEGER, first INTEGER, confidence TINYINT)[])""")

    def load(self, parquet, day):
        self.base.execute(f"INSERT INTO sightings SELECT * FROM '{parquet}'")

    def finish(self):
        self.base.execute("CHECKPOINT")

    def reopen(self):
        self.base.close()
        self.base = duckdb.connect(self.path)

    def bytes(self):
        return os.path.getsize(self.path)

    def history(self, mark):
        return self.base.execute("SELECT * FROM sightings WHERE vrm = ? ORDER BY first DESC", [mark]).fetchall()

    def guess(self, pattern):
        return self.base.execute("SELECT * FROM sightings WHERE vrm LIKE ? ORDER BY first DESC", [pattern]).fetchall()

    def hour(self, hour):
        return self.base.execute(
            "SELECT * FROM sightings WHERE camera = ? AND first BETWEEN ? AND ? ORDER BY first DESC", list(hour)).fetchall()

    def close(self):
        self.base.close()
