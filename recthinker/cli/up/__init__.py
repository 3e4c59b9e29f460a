"""`make up`: Airflow's servers and MLflow's page on 127.0.0.1, until they are told to end."""
