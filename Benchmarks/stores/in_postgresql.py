"""PostgreSQL: a server of its own in the work folder; a partition a month, since a search by mark asks each; in each a tree by mark and
time and one by camera and time, made when all is in, which is quickest."""
import glob, os, shutil, subprocess
import duckdb, psycopg


class Store:
    name = "postgresql"

    def __init__(self, work):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not found:
            raise OSError("its server is not installed")
        self.bin, self.folder = found[-1], f"{work}/postgresql"
        # The server refuses to run as root.
        self.user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        os.mkdir(self.folder)
        if self.user:
            shutil.chown(self.folder, "postgres")
        self.run("initdb", "-D", f"{self.folder}/data", "--auth=trust", "--no-locale", "-E", "UTF8", "-U", "anpr")
        self.options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c shared_buffers=2GB -c max_wal_size=8GB"
        self.options += " -c maintenance_work_mem=1GB"
        self.start()
        self.base.execute("""
            CREATE TABLE sightings (first bigint, last int, captured int, reads int, camera smallint, confidence smallint,
                vrm text, parts int[][]) PARTITION BY RANGE (first)""")
        self.months = set()

    def start(self):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-o", self.options, "-l", f"{self.folder}/log", "-w", "start")
        self.base = psycopg.connect(f"host={self.folder} user=anpr dbname=postgres", autocommit=True)

    def reopen(self):
        self.base.close()
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "fast", "-w", "stop")
        self.start()

    def run(self, program, *rest):
        subprocess.run([*self.user, f"{self.bin}/{program}", *rest], check=True, cwd="/", stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def load(self, parquet, day):
        name = "month" + day[:7].replace("-", "")
        if name not in self.months:
            self.months.add(name)
            begin, end = duckdb.execute(
                f"SELECT epoch_ms(m), epoch_ms(m + INTERVAL 1 MONTH) FROM (SELECT DATE '{day[:7]}-01' AS m)").fetchone()
            self.base.execute(f"CREATE TABLE {name} PARTITION OF sightings FOR VALUES FROM ({begin}) TO ({end})")
        # As text, which the server reads itself: faster than rows that are handed over one by one.
        lines = f"{self.folder}/day.csv"
        duckdb.execute(f"""
            COPY (SELECT first, last, captured, reads, camera, confidence, vrm, CASE WHEN len(parts) > 0 THEN
                '{{' || list_aggregate([printf('{{%d,%d,%d,%d}}', one.camera, one.reads, one.first, one.confidence) FOR one IN parts],
                    'string_agg', ',') || '}}' END
            FROM '{parquet}') TO '{lines}' (FORMAT csv, HEADER false)""")
        os.chmod(lines, 0o644)
        self.base.execute(f"COPY {name} FROM '{lines}' (FORMAT csv)")
        os.remove(lines)

    def finish(self):
        self.base.execute("CREATE INDEX ON sightings (vrm, first)")
        self.base.execute("CREATE INDEX ON sightings (camera, first)")
        self.base.execute("VACUUM ANALYZE sightings")
        self.base.execute("CHECKPOINT")

    def bytes(self):
        return int(self.base.execute("""
            SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relispartition AND relkind = 'r'""").fetchone()[0])

    def history(self, mark):
        return self.rows("vrm = %s", [mark])

    def guess(self, pattern):
        return self.rows("vrm LIKE %s", [pattern])

    def hour(self, hour):
        return self.rows("camera = %s AND first BETWEEN %s AND %s", hour)

    def rows(self, condition, values):
        return self.base.execute(f"SELECT * FROM sightings WHERE {condition} ORDER BY first DESC", values).fetchall()

    def close(self):
        self.base.close()
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "stop")
