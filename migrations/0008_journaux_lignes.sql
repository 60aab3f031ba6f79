-- Lines that a power cut glued, profiles that are too long; versions that hold NULs where another has bytes.

LOCK TABLE fichier_log_version, fichier_log_prefixe, ligne_rejetee IN ACCESS EXCLUSIVE MODE;

ALTER TABLE ligne_rejetee DROP CONSTRAINT ligne_rejetee_raison_check;
ALTER TABLE ligne_rejetee ADD CONSTRAINT ligne_rejetee_raison_check
  CHECK (raison IN ('sans_separateur', 'horodatage_invalide', 'evenement_vide', 'attente_sans_duree',
                    'profil_incomplet', 'profil_trop_long', 'ligne_collee', 'ligne_trop_longue'));

ALTER TABLE fichier_log_version ADD COLUMN contient_nul boolean;
COMMENT ON COLUMN fichier_log_version.contient_nul IS 'Vrai si ses octets contiennent des NUL ; NULL : lue par une version du programme qui ne le regardait pas';

ALTER TABLE fichier_log_prefixe ADD COLUMN trous int8multirange NOT NULL DEFAULT '{}';
COMMENT ON COLUMN fichier_log_prefixe.trous IS 'Positions où cet état avait des NUL alors que la version a d’autres octets (copie en cours) ; ailleurs ses octets sont ceux de la version';
COMMENT ON TABLE fichier_log_prefixe IS 'États moins complets d’un fichier : les premiers octets de la version nommée, à leurs NUL près';
COMMENT ON COLUMN fichier_log_prefixe.version_id IS 'Version qui contient ces octets';
COMMENT ON COLUMN fichier_log_prefixe.taille IS 'Longueur en octets : ce sont les premiers de la version, aux trous près';
COMMENT ON COLUMN fichier_log_prefixe.sha256 IS 'Empreinte de cet état';
