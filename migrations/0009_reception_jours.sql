-- When the events of a day were received: the age of a day counts from then, if that is later than the day (retention).

ALTER TABLE fichier_log_jour ADD COLUMN recu_le timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN fichier_log_jour.recu_le IS 'Quand un événement de cette journée est arrivé pour la dernière fois dans cette version, à l’horloge de PostgreSQL ; la conservation compte l’âge d’une journée depuis là';

-- Of days that are there already only the last reception of their file is known.
UPDATE fichier_log_jour j SET recu_le = v.derniere_reception FROM fichier_log_version v WHERE v.id = j.version_id;
