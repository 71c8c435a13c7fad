"""ClickHouse, as the library chdb: a MergeTree by mark and time, a partition a month, each column under ZSTD(9)."""
from chdb.session import Session


class Store:
    name = "clickhouse"

    def __init__(self, work):
        self.path = f"{work}/clickhouse"
        self.base = Session(self.path)
        self.base.query("CREATE DATABASE IF NOT EXISTS archive ENGINE = Atomic")
        self.base.query("""
            CREATE TABLE archive.sightings (vrm String CODEC(ZSTD(9)), first Int64 CODEC(ZSTD(9)), last Int32 CODEC(ZSTD(9)),
                captured Int32 CODEC(ZSTD(9)), camera Int16 CODEC(ZSTD(9)), confidence Int8 CODEC(ZSTD(9)),
                reads Int32 CODEC(ZSTD(9)), `parts.camera` Array(Int16) CODEC(ZSTD(9)), `parts.reads` Array(Int32) CODEC(ZSTD(9)),
                `parts.first` Array(Int32) CODEC(ZSTD(9)), `parts.confidence` Array(Int8) CODEC(ZSTD(9)),
                INDEX times first TYPE minmax)
            ENGINE = MergeTree PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(first)) ORDER BY (vrm, first)""")

    def load(self, parquet, day):
        self.base.query(f"""
            INSERT INTO archive.sightings SELECT vrm, first, last, captured, camera, confidence, reads,
                parts.camera, parts.reads, parts.first, parts.confidence
            FROM file('{parquet}', Parquet, 'vrm String, first Int64, last Int32, captured Int32, camera Int16, confidence Int8,
                reads Int32, parts Array(Tuple(camera Int16, reads Int32, first Int32, confidence Int8))')""")

    def finish(self):
        self.base.query("OPTIMIZE TABLE archive.sightings FINAL")

    def reopen(self):
        self.base.close()
        self.base = Session(self.path)
        self.base.query("SELECT count() FROM archive.sightings")

    def bytes(self):
        return int(str(self.base.query(
            "SELECT sum(bytes_on_disk) FROM system.parts WHERE database = 'archive' AND active FORMAT TSV")))

    def history(self, mark):
        return self.rows(f"vrm = '{mark}'")

    def guess(self, pattern):
        return self.rows(f"vrm LIKE '{pattern}'")

    def hour(self, hour):
        return self.rows("camera = {} AND first BETWEEN {} AND {}".format(*hour))

    def rows(self, condition):
        return str(self.base.query(
            f"SELECT * FROM archive.sightings WHERE {condition} ORDER BY first DESC FORMAT TSV")).splitlines()

    def close(self):
        self.base.close()
