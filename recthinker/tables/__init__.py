"""The tables: contracts (schemas), Spark session, store, Spark-free reading, quality gate, generated docs."""
