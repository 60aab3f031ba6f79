-- ERP de démonstration d'atelier : données inventées, aucune personne ni entreprise réelle.
-- MariaDB 10.11 et MySQL 8. À charger par un administrateur : mariadb < demo/init.sql
--
-- Les noms sont ceux de l'ERP. Chaque commande dit en commentaire le cas qu'elle montre.

SET NAMES utf8mb4;
-- Sans mode strict : la démonstration contient une date 0000-00-00, comme les vieux ERP.
SET SESSION sql_mode = '';

CREATE DATABASE IF NOT EXISTS erp CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;
USE erp;

DROP TABLE IF EXISTS A_Logbuch, P_Zubeh, A_Vorgang, A_KopfFreie, P_Artikel, A_Kopf;


-- En-têtes. KundenNr, KundenBez, Kommission, Bauvorhaben, Techniker, A_VorMwSt : personnel ou commercial, jamais lu.
CREATE TABLE A_Kopf (
  ID varchar(32) NOT NULL,
  AuftragsTyp smallint NOT NULL,
  AuNummer int DEFAULT NULL,
  AuAlpha varchar(5) DEFAULT NULL,
  AufStatus varchar(50) DEFAULT NULL,
  KundenNr int DEFAULT NULL,
  KundenBez varchar(80) DEFAULT NULL,
  Kommission varchar(80) DEFAULT NULL,
  Bauvorhaben varchar(80) DEFAULT NULL,
  Techniker varchar(30) DEFAULT NULL,
  A_VorMwSt decimal(12,2) DEFAULT NULL,
  PRIMARY KEY (ID),
  UNIQUE KEY ux_kopf_nummer (AuftragsTyp, AuNummer, AuAlpha)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

-- Journal de bord, plusieurs notes par commande.
CREATE TABLE A_Logbuch (
  ID int NOT NULL AUTO_INCREMENT,
  ID_A_Kopf varchar(32) NOT NULL,
  Code varchar(20) DEFAULT NULL,
  Bezeichnung varchar(80) DEFAULT NULL,
  Datum datetime DEFAULT NULL,
  Zeit time DEFAULT NULL,
  Benutzer varchar(30) DEFAULT NULL,
  Notiz text DEFAULT NULL,
  PRIMARY KEY (ID),
  KEY ix_logbuch_kopf (ID_A_Kopf)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

-- Accessoires ; un coffre est un accessoire.
CREATE TABLE P_Zubeh (
  ID int NOT NULL AUTO_INCREMENT,
  ID_A_Kopf varchar(32) NOT NULL,
  Position int DEFAULT NULL,
  Kennung varchar(5) DEFAULT NULL,
  ZNr int DEFAULT NULL,
  ZCode varchar(20) DEFAULT NULL,
  Text varchar(200) DEFAULT NULL,
  Stueck decimal(10,2) DEFAULT NULL,
  PRIMARY KEY (ID),
  KEY ix_zubeh_kopf (ID_A_Kopf),
  -- voulu par la lecture : les sept familles de coffres sont sept plages de cet index, la table n'est pas ouverte
  KEY ix_zubeh_code (ZCode, ID_A_Kopf)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

-- Opérations.
CREATE TABLE A_Vorgang (
  ID int NOT NULL AUTO_INCREMENT,
  ID_A_Kopf varchar(32) NOT NULL,
  Nummer varchar(15) DEFAULT NULL,
  Bezeichnung varchar(80) DEFAULT NULL,
  Datum datetime DEFAULT NULL,
  Benutzer varchar(30) DEFAULT NULL,
  NotizText text DEFAULT NULL,
  PRIMARY KEY (ID),
  -- voulu par la lecture : tout ce qu'elle lit est dans l'index
  KEY ix_vorgang_kopf (ID_A_Kopf, Nummer)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

-- Champs libres et articles : lus par personne.
CREATE TABLE A_KopfFreie (
  ID int NOT NULL AUTO_INCREMENT,
  ID_A_Kopf varchar(32) NOT NULL,
  Feld varchar(20) DEFAULT NULL,
  Wert varchar(80) DEFAULT NULL,
  PRIMARY KEY (ID),
  KEY ix_kopffreie_kopf (ID_A_Kopf)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE P_Artikel (
  ID int NOT NULL AUTO_INCREMENT,
  ID_A_Kopf varchar(32) NOT NULL,
  Position int DEFAULT NULL,
  ArtikelNr varchar(30) DEFAULT NULL,
  Text varchar(200) DEFAULT NULL,
  Stueck decimal(10,2) DEFAULT NULL,
  PRIMARY KEY (ID),
  KEY ix_artikel_kopf (ID_A_Kopf)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

-- 82 commandes.

-- Commandes courantes : chaque famille de coffre, chaque statut, en stock ou non.
INSERT INTO A_Kopf (ID, AuftragsTyp, AuNummer, AuAlpha, AufStatus, KundenNr, KundenBez, Kommission, Bauvorhaben, Techniker, A_VorMwSt) VALUES
  ('AK000001', 1, 24101, NULL, 'Planifiée', 70023, 'Client inventé 23', 'C-080', 'Mairie annexe', 'T05', 1439.56), -- SOP 185 · Planifiée · en stock
  ('AK000002', 1, 24102, 'A', 'A lancer en prod.', 70001, 'Client inventé 01', 'C-372', 'Atelier témoin', 'T01', 4881.26), -- SOP 205 iso · A lancer en prod. · sur mesure
  ('AK000003', 1, 24103, 'B', 'Attente vitrage', 70009, 'Client inventé 09', 'C-223', 'École du Moulin', 'T02', 543.55), -- S P 200 · Attente vitrage · sur mesure
  ('AK000004', 1, 24106, '', 'Planifiée semaine 22', 70014, 'Client inventé 14', 'C-150', 'Mairie annexe', 'T02', 6944.01), -- S D 165 · Planifiée semaine 22 · en stock
  ('AK000005', 1, 24107, NULL, 'Vitrage reçu', 70021, 'Client inventé 21', 'C-133', 'Mairie annexe', 'T04', 7557.5), -- S Q 18 · Vitrage reçu · sur mesure
  ('AK000006', 1, 24108, 'A', 'Lancer en production', 70004, 'Client inventé 04', 'C-379', 'Rénovation grange', 'T04', 6063.53), -- S T 24 · Lancer en production · sur mesure
  ('AK000007', 1, 24109, 'B', 'Planifiée', 70034, 'Client inventé 34', 'C-216', 'Mairie annexe', 'T02', 4926.88), -- S TAB 30 · Planifiée · en stock
  ('AK000008', 1, 24110, '', 'A lancer en prod.', 70034, 'Client inventé 34', 'C-262', 'Résidence des Tilleuls', 'T04', 7055.6), -- S TN 12 · A lancer en prod. · sur mesure
  ('AK000009', 1, 24111, NULL, 'Attente vitrage', 70039, 'Client inventé 39', 'C-003', 'Extension véranda', 'T02', 1531.56), -- SOP 185 · Attente vitrage · sur mesure
  ('AK000010', 1, 24112, 'A', 'Planifiée semaine 22', 70040, 'Client inventé 40', 'C-372', 'Maison du Verger', 'T05', 837.27), -- SOP 205 iso · Planifiée semaine 22 · en stock
  ('AK000011', 1, 24113, 'B', 'Vitrage reçu', 70034, 'Client inventé 34', 'C-272', 'Mairie annexe', 'T04', 7123.17), -- S P 200 · Vitrage reçu · sur mesure
  ('AK000012', 1, 24114, '', 'Lancer en production', 70007, 'Client inventé 07', 'C-287', 'Résidence des Tilleuls', 'T02', 1964.36), -- S D 165 · Lancer en production · sur mesure
  ('AK000013', 1, 24117, NULL, 'Planifiée', 70003, 'Client inventé 03', 'C-396', 'Maison du Verger', 'T05', 4233.93), -- S Q 18 · Planifiée · en stock
  ('AK000014', 1, 24120, 'A', 'A lancer en prod.', 70002, 'Client inventé 02', 'C-390', 'Maison du Verger', 'T04', 3132.84), -- S T 24 · A lancer en prod. · sur mesure
  ('AK000015', 1, 24121, 'B', 'Attente vitrage', 70033, 'Client inventé 33', 'C-311', 'Mairie annexe', 'T02', 6326.76), -- S TAB 30 · Attente vitrage · sur mesure
  ('AK000016', 1, 24122, '', 'Planifiée semaine 22', 70029, 'Client inventé 29', 'C-261', 'Mairie annexe', 'T04', 4717.44), -- S TN 12 · Planifiée semaine 22 · en stock
  ('AK000017', 1, 24124, NULL, 'Vitrage reçu', 70016, 'Client inventé 16', 'C-358', 'Mairie annexe', 'T03', 8328.22), -- SOP 185 · Vitrage reçu · sur mesure
  ('AK000018', 1, 24125, 'A', 'Lancer en production', 70013, 'Client inventé 13', 'C-230', 'Extension véranda', 'T04', 1358.11), -- SOP 205 iso · Lancer en production · sur mesure
  ('AK000019', 1, 24126, 'B', 'Planifiée', 70029, 'Client inventé 29', 'C-162', 'Maison du Verger', 'T06', 2393.56), -- S P 200 · Planifiée · en stock
  ('AK000020', 1, 24129, '', 'A lancer en prod.', 70005, 'Client inventé 05', 'C-109', 'Atelier témoin', 'T03', 7120.24), -- S D 165 · A lancer en prod. · sur mesure
  ('AK000021', 1, 24131, NULL, 'Attente vitrage', 70010, 'Client inventé 10', 'C-367', 'Atelier témoin', 'T06', 3485.79), -- S Q 18 · Attente vitrage · sur mesure
  ('AK000022', 1, 24134, 'A', 'Planifiée semaine 22', 70017, 'Client inventé 17', 'C-071', 'Immeuble Le Clos', 'T02', 6796.13), -- S T 24 · Planifiée semaine 22 · en stock
  ('AK000023', 1, 24136, 'B', 'Vitrage reçu', 70007, 'Client inventé 07', 'C-204', 'Immeuble Le Clos', 'T02', 8911.88), -- S TAB 30 · Vitrage reçu · sur mesure
  ('AK000024', 1, 24137, '', 'Lancer en production', 70015, 'Client inventé 15', 'C-083', 'Hall d’exposition', 'T04', 8948.43); -- S TN 12 · Lancer en production · sur mesure

-- Plusieurs notes : la date retenue est celle de la dernière qui convient.
INSERT INTO A_Kopf (ID, AuftragsTyp, AuNummer, AuAlpha, AufStatus, KundenNr, KundenBez, Kommission, Bauvorhaben, Techniker, A_VorMwSt) VALUES
  ('AK000025', 1, 24140, NULL, 'Planifiée', 70026, 'Client inventé 26', 'C-174', 'Pavillon témoin', 'T02', 3402.55), -- trois notes qui conviennent : 2025-05-19
  ('AK000026', 1, 24143, NULL, 'Planifiée', 70006, 'Client inventé 06', 'C-370', 'Rénovation grange', 'T01', 3240.42), -- une note plus récente qui ne convient pas : 2025-04-07
  ('AK000027', 1, 24146, NULL, 'Planifiée', 70030, 'Client inventé 30', 'C-226', 'Hall d’exposition', 'T01', 3643.8), -- deux notes le même jour
  ('AK000028', 1, 24147, NULL, 'Planifiée', 70034, 'Client inventé 34', 'C-320', 'Lotissement La Garenne', 'T05', 8658.74), -- note sans date, une autre en a une : 2025-03-31
  ('AK000029', 1, 24148, NULL, 'Planifiée', 70008, 'Client inventé 08', 'C-118', 'Maison du Verger', 'T01', 2610.41); -- note datée 0000-00-00, une autre est bonne : 2025-03-28

-- Plusieurs coffres : tous gardés, distincts, dans l’ordre des points de code.
INSERT INTO A_Kopf (ID, AuftragsTyp, AuNummer, AuAlpha, AufStatus, KundenNr, KundenBez, Kommission, Bauvorhaben, Techniker, A_VorMwSt) VALUES
  ('AK000030', 1, 24149, NULL, 'Planifiée', 70003, 'Client inventé 03', 'C-399', 'Extension véranda', 'T03', 6875.26), -- S D 165 puis SOP 185
  ('AK000031', 1, 24152, NULL, 'Planifiée', 70028, 'Client inventé 28', 'C-347', 'Lotissement La Garenne', 'T04', 1599.5), -- le même deux fois : un seul
  ('AK000032', 1, 24155, NULL, 'Planifiée', 70033, 'Client inventé 33', 'C-293', 'Immeuble Le Clos', 'T06', 3145.32), -- les sept familles
  ('AK000033', 1, 24158, NULL, 'Planifiée', 70018, 'Client inventé 18', 'C-030', 'Hall d’exposition', 'T02', 4000.26), -- majuscules et minuscules : deux codes différents
  ('AK000034', 1, 24160, NULL, 'Planifiée', 70005, 'Client inventé 05', 'C-138', 'Résidence des Tilleuls', 'T06', 1070.52); -- coffre et accessoires qui n’en sont pas

-- Gestion en stock : une opération contient VR, où que ce soit.
INSERT INTO A_Kopf (ID, AuftragsTyp, AuNummer, AuAlpha, AufStatus, KundenNr, KundenBez, Kommission, Bauvorhaben, Techniker, A_VorMwSt) VALUES
  ('AK000035', 1, 24161, NULL, 'Planifiée', 70017, 'Client inventé 17', 'C-043', 'Gîte des Sources', 'T02', 879.62), -- VR au milieu
  ('AK000036', 1, 24162, NULL, 'Planifiée', 70008, 'Client inventé 08', 'C-233', 'Résidence des Tilleuls', 'T03', 8950.46), -- vr en minuscules
  ('AK000037', 1, 24163, NULL, 'Planifiée', 70027, 'Client inventé 27', 'C-138', 'Gîte des Sources', 'T02', 675.89), -- VR parmi beaucoup
  ('AK000038', 1, 24164, NULL, 'Planifiée', 70016, 'Client inventé 16', 'C-057', 'Extension véranda', 'T03', 738.3), -- aucune opération : 0
  ('AK000039', 1, 24166, NULL, 'Planifiée', 70013, 'Client inventé 13', 'C-160', 'Atelier témoin', 'T03', 4920.45); -- V R n’est pas VR : 0

-- Accents et casse.
INSERT INTO A_Kopf (ID, AuftragsTyp, AuNummer, AuAlpha, AufStatus, KundenNr, KundenBez, Kommission, Bauvorhaben, Techniker, A_VorMwSt) VALUES
  ('AK000040', 1, 24167, NULL, 'PLANIFIEE', 70014, 'Client inventé 14', 'C-149', 'Immeuble Le Clos', 'T05', 6147.77), -- sans accent
  ('AK000041', 1, 24170, NULL, 'Làncer en Prod', 70018, 'Client inventé 18', 'C-178', 'Résidence des Tilleuls', 'T03', 621.46), -- accents ailleurs
  ('AK000042', 1, 24173, NULL, 'Planifiée', 70002, 'Client inventé 02', 'C-376', 'Mairie annexe', 'T05', 8809.05), -- accent décomposé (NFD)
  ('AK000043', 1, 24176, NULL, '  Planifiée  ', 70033, 'Client inventé 33', 'C-244', 'École du Moulin', 'T04', 1224.65), -- statut entouré de blancs : rogné
  ('AK000044', 1, 24177, NULL, 'Planifiée 🚚', 70028, 'Client inventé 28', 'C-337', 'Immeuble Le Clos', 'T05', 7561.14), -- émoji dans le statut et la note
  ('AK000045', 1, 24178, NULL, 'Planifiée\0', 70026, 'Client inventé 26', 'C-260', 'Lotissement La Garenne', 'T06', 2172.08); -- caractère nul en fin de statut : retiré

-- Textes encodés deux fois : trouvés, statut réparé.
INSERT INTO A_Kopf (ID, AuftragsTyp, AuNummer, AuAlpha, AufStatus, KundenNr, KundenBez, Kommission, Bauvorhaben, Techniker, A_VorMwSt) VALUES
  ('AK000046', 1, 24179, NULL, 'PlanifiÃ©e', 70015, 'Client inventé 15', 'C-176', 'École du Moulin', 'T06', 6640.94), -- statut (latin1)
  ('AK000047', 1, 24180, NULL, 'Planifiée', 70009, 'Client inventé 09', 'C-208', 'Rénovation grange', 'T01', 7581.8), -- note (latin1)
  ('AK000048', 1, 24181, NULL, 'PlanifiÃ©e â€“ Ã  lancer en prod', 70001, 'Client inventé 01', 'C-037', 'Atelier témoin', 'T06', 7954.73), -- statut et note (cp1252), apostrophe et tiret : « Planifiée – à lancer en prod »
  ('AK000049', 1, 24184, NULL, 'PlanifiÃÂ©e', 70028, 'Client inventé 28', 'C-084', 'Résidence des Tilleuls', 'T01', 6087.48), -- trois fois encodé
  ('AK000050', 1, 24186, NULL, 'Vitrage reÃ§u ðŸ‘', 70025, 'Client inventé 25', 'C-260', 'Atelier témoin', 'T03', 5509.37), -- émoji encodé deux fois
  ('AK000051', 1, 24187, NULL, 'Planifiée', 70019, 'Client inventé 19', 'C-024', 'Immeuble Le Clos', 'T02', 1670.54), -- note : texte correct suivi d’un texte encodé deux fois
  ('AK000052', 1, 24190, NULL, 'VITRAGE POSÉ…', 70029, 'Client inventé 29', 'C-002', 'Lotissement La Garenne', 'T03', 8667.54), -- statut correct qui ressemble à un texte encodé deux fois : inchangé
  ('AK000053', 1, 24191, NULL, '« Planifiée »', 70036, 'Client inventé 36', 'C-166', 'École du Moulin', 'T01', 8701.3); -- guillemets et espace insécable : inchangé

-- Plusieurs en-têtes pour un numéro et une extension (autre AuftragsTyp).
INSERT INTO A_Kopf (ID, AuftragsTyp, AuNummer, AuAlpha, AufStatus, KundenNr, KundenBez, Kommission, Bauvorhaben, Techniker, A_VorMwSt) VALUES
  ('AK000054', 2, 25001, 'A', 'Planifiée', 70020, 'Client inventé 20', 'C-112', 'Rénovation grange', 'T02', 309.3), -- stock 1 l’emporte, même plus ancienne
  ('AK000055', 1, 25001, 'A', 'Attente vitrage', 70025, 'Client inventé 25', 'C-043', 'Immeuble Le Clos', 'T03', 4674.05), -- … sur celle-ci (stock 0, plus récente)
  ('AK000056', 1, 25002, 'B', 'Planifiée', 70013, 'Client inventé 13', 'C-128', 'Mairie annexe', 'T01', 1090.41), -- même stock : la plus récente l’emporte
  ('AK000057', 3, 25002, 'B', 'Attente vitrage', 70006, 'Client inventé 06', 'C-074', 'Pavillon témoin', 'T05', 662.5), -- … sur celle-ci
  ('AK000058', 1, 25003, 'C', 'Planifiée', 70002, 'Client inventé 02', 'C-154', 'Lotissement La Garenne', 'T06', 2325.44), -- tout est égal : le plus petit ID l’emporte (celui-ci)
  ('AK000059', 2, 25003, 'C', 'Vitrage reçu', 70038, 'Client inventé 38', 'C-271', 'Extension véranda', 'T06', 8067.37), -- … et pas celui-ci
  ('AK000060', 1, 25004, NULL, 'Planifiée', 70039, 'Client inventé 39', 'C-200', 'Rénovation grange', 'T06', 8867.14), -- extension NULL
  ('AK000061', 2, 25004, '', 'Planifiée', 70010, 'Client inventé 10', 'C-146', 'Hall d’exposition', 'T05', 5896.01); -- extension vide : la même commande que celle d’avant, plus récente

-- Ne doivent PAS passer.
INSERT INTO A_Kopf (ID, AuftragsTyp, AuNummer, AuAlpha, AufStatus, KundenNr, KundenBez, Kommission, Bauvorhaben, Techniker, A_VorMwSt) VALUES
  ('AK000062', 1, 24193, NULL, 'Planifiée', 70003, 'Client inventé 03', 'C-367', 'Mairie annexe', 'T06', 4034.43), -- non : aucune note de planification
  ('AK000063', 1, 24194, NULL, 'Planifiée', 70033, 'Client inventé 33', 'C-072', 'Mairie annexe', 'T05', 5245.77), -- non : aucune note
  ('AK000064', 1, 24195, NULL, 'Planifiée', 70002, 'Client inventé 02', 'C-352', 'Gîte des Sources', 'T06', 6241.19), -- non : note NULL
  ('AK000065', 1, 24196, NULL, 'Planifiée', 70015, 'Client inventé 15', 'C-044', 'Résidence des Tilleuls', 'T01', 1457.91), -- non : deux blancs dans la note
  ('AK000066', 1, 24197, NULL, 'Planifiée', 70024, 'Client inventé 24', 'C-054', 'Pavillon témoin', 'T04', 5159.19), -- non : « Planifié » sans e
  ('AK000067', 1, 24200, NULL, 'Planifiée', 70002, 'Client inventé 02', 'C-321', 'Mairie annexe', 'T06', 2427.67), -- non : autre mot
  ('AK000068', 1, 24201, NULL, 'Livrée', 70017, 'Client inventé 17', 'C-002', 'Immeuble Le Clos', 'T01', 6809.91), -- non : statut Livrée
  ('AK000069', 1, 24204, NULL, NULL, 70033, 'Client inventé 33', 'C-275', 'Maison du Verger', 'T06', 4876.11), -- non : statut NULL
  ('AK000070', 1, 24206, NULL, '', 70031, 'Client inventé 31', 'C-130', 'Maison du Verger', 'T03', 2342.63), -- non : statut vide
  ('AK000071', 1, 24208, NULL, 'Planifié', 70014, 'Client inventé 14', 'C-119', 'Hall d’exposition', 'T06', 8788.9), -- non : « Planifié » sans e
  ('AK000072', 1, 24209, NULL, 'Annulée', 70032, 'Client inventé 32', 'C-196', 'Maison du Verger', 'T04', 8221.06), -- non : statut Annulée, le reste y est
  ('AK000073', 1, 24211, NULL, 'Planifiée', 70019, 'Client inventé 19', 'C-393', 'Résidence des Tilleuls', 'T05', 5805.3), -- non : aucun accessoire
  ('AK000074', 1, 24212, NULL, 'Planifiée', 70013, 'Client inventé 13', 'C-040', 'Gîte des Sources', 'T02', 3186.42), -- non : aucun coffre
  ('AK000075', 1, 24213, NULL, 'Planifiée', 70020, 'Client inventé 20', 'C-319', 'Gîte des Sources', 'T02', 408.48), -- non : « S P » sans blanc final
  ('AK000076', 1, 24214, NULL, 'Planifiée', 70004, 'Client inventé 04', 'C-249', 'Lotissement La Garenne', 'T06', 1165.82), -- non : « SP 200 », le blanc manque
  ('AK000077', 1, 24216, NULL, 'Planifiée', 70014, 'Client inventé 14', 'C-346', 'Immeuble Le Clos', 'T03', 6467.18), -- non : blanc devant
  ('AK000078', 1, 24219, NULL, 'Planifiée', 70019, 'Client inventé 19', 'C-238', 'Immeuble Le Clos', 'T04', 6974.38), -- non : « S TABLIER », le blanc manque
  ('AK000079', 1, 24220, NULL, 'Planifiée', 70036, 'Client inventé 36', 'C-103', 'Lotissement La Garenne', 'T01', 8445.41), -- non : deux blancs
  ('AK000080', 1, 24221, NULL, 'Planifiée', 70002, 'Client inventé 02', 'C-149', 'Immeuble Le Clos', 'T01', 7433.11), -- non : code NULL
  ('AK000081', 1, 24224, NULL, 'Planifiée', 70029, 'Client inventé 29', 'C-138', 'Pavillon témoin', 'T02', 8274.03), -- non : seule date 0000-00-00, signalée comme non enregistrable
  ('AK000082', 1, NULL, NULL, 'Planifiée', 70014, 'Client inventé 14', 'C-039', 'Gîte des Sources', 'T01', 1533.14); -- non : numéro NULL, signalée comme non enregistrable

INSERT INTO A_Logbuch (ID_A_Kopf, Code, Bezeichnung, Datum, Zeit, Benutzer, Notiz) VALUES
  ('AK000001', 'NOTE', 'Suivi', '2025-03-01 09:12:00', '09:12:00', 'poste3', 'Métré vérifié sur place'),
  ('AK000001', 'NOTE', 'Suivi', '2025-03-03 10:05:00', '10:05:00', 'poste2', 'CDE PLANIFIEE atelier volets'),
  ('AK000002', 'NOTE', 'Suivi', '2025-04-02 09:12:00', '09:12:00', 'poste2', 'Appel client, cotes confirmées'),
  ('AK000002', 'NOTE', 'Suivi', '2025-04-04 10:05:00', '10:05:00', 'poste1', 'cde Planifiée'),
  ('AK000003', 'NOTE', 'Suivi', '2025-05-03 09:12:00', '09:12:00', 'poste3', 'Délai annoncé : trois semaines'),
  ('AK000003', 'NOTE', 'Suivi', '2025-05-05 10:05:00', '10:05:00', 'poste3', 'CDE PLANIFIEE atelier volets'),
  ('AK000004', 'NOTE', 'Suivi', '2025-06-04 09:12:00', '09:12:00', 'poste3', 'Appel client, cotes confirmées'),
  ('AK000004', 'NOTE', 'Suivi', '2025-06-06 10:05:00', '10:05:00', 'poste2', 'cde Planifiée'),
  ('AK000005', 'NOTE', 'Suivi', '2025-03-05 09:12:00', '09:12:00', 'poste1', 'Accusé de réception envoyé'),
  ('AK000005', 'NOTE', 'Suivi', '2025-03-07 10:05:00', '10:05:00', 'poste3', 'CDE PLANIFIEE atelier volets'),
  ('AK000006', 'NOTE', 'Suivi', '2025-04-06 09:12:00', '09:12:00', 'poste2', 'Délai annoncé : trois semaines'),
  ('AK000006', 'NOTE', 'Suivi', '2025-04-08 10:05:00', '10:05:00', 'poste1', 'cde Planifiée'),
  ('AK000007', 'NOTE', 'Suivi', '2025-05-07 09:12:00', '09:12:00', 'poste2', 'Délai annoncé : trois semaines'),
  ('AK000007', 'NOTE', 'Suivi', '2025-05-09 10:05:00', '10:05:00', 'poste2', 'CDE PLANIFIEE atelier volets'),
  ('AK000008', 'NOTE', 'Suivi', '2025-06-08 09:12:00', '09:12:00', 'poste2', 'Accusé de réception envoyé'),
  ('AK000008', 'NOTE', 'Suivi', '2025-06-10 10:05:00', '10:05:00', 'poste1', 'cde Planifiée'),
  ('AK000009', 'NOTE', 'Suivi', '2025-03-09 09:12:00', '09:12:00', 'poste1', 'Teinte RAL confirmée par courriel'),
  ('AK000009', 'NOTE', 'Suivi', '2025-03-11 10:05:00', '10:05:00', 'poste1', 'CDE PLANIFIEE atelier volets'),
  ('AK000010', 'NOTE', 'Suivi', '2025-04-10 09:12:00', '09:12:00', 'poste2', 'Métré vérifié sur place'),
  ('AK000010', 'NOTE', 'Suivi', '2025-04-12 10:05:00', '10:05:00', 'poste3', 'cde Planifiée'),
  ('AK000011', 'NOTE', 'Suivi', '2025-05-11 09:12:00', '09:12:00', 'poste2', 'Délai annoncé : trois semaines'),
  ('AK000011', 'NOTE', 'Suivi', '2025-05-13 10:05:00', '10:05:00', 'poste2', 'CDE PLANIFIEE atelier volets'),
  ('AK000012', 'NOTE', 'Suivi', '2025-06-12 09:12:00', '09:12:00', 'poste2', 'Délai annoncé : trois semaines'),
  ('AK000012', 'NOTE', 'Suivi', '2025-06-14 10:05:00', '10:05:00', 'poste3', 'cde Planifiée'),
  ('AK000013', 'NOTE', 'Suivi', '2025-03-13 09:12:00', '09:12:00', 'poste1', 'Accusé de réception envoyé'),
  ('AK000013', 'NOTE', 'Suivi', '2025-03-15 10:05:00', '10:05:00', 'poste2', 'CDE PLANIFIEE atelier volets'),
  ('AK000014', 'NOTE', 'Suivi', '2025-04-14 09:12:00', '09:12:00', 'poste2', 'Métré vérifié sur place'),
  ('AK000014', 'NOTE', 'Suivi', '2025-04-16 10:05:00', '10:05:00', 'poste2', 'cde Planifiée'),
  ('AK000015', 'NOTE', 'Suivi', '2025-05-15 09:12:00', '09:12:00', 'poste2', 'Métré vérifié sur place'),
  ('AK000015', 'NOTE', 'Suivi', '2025-05-17 10:05:00', '10:05:00', 'poste1', 'CDE PLANIFIEE atelier volets'),
  ('AK000016', 'NOTE', 'Suivi', '2025-06-16 09:12:00', '09:12:00', 'poste2', 'Accusé de réception envoyé'),
  ('AK000016', 'NOTE', 'Suivi', '2025-06-18 10:05:00', '10:05:00', 'poste1', 'cde Planifiée'),
  ('AK000017', 'NOTE', 'Suivi', '2025-03-17 09:12:00', '09:12:00', 'poste2', 'Teinte RAL confirmée par courriel'),
  ('AK000017', 'NOTE', 'Suivi', '2025-03-19 10:05:00', '10:05:00', 'poste2', 'CDE PLANIFIEE atelier volets'),
  ('AK000018', 'NOTE', 'Suivi', '2025-04-18 09:12:00', '09:12:00', 'poste2', 'Délai annoncé : trois semaines'),
  ('AK000018', 'NOTE', 'Suivi', '2025-04-20 10:05:00', '10:05:00', 'poste1', 'cde Planifiée'),
  ('AK000019', 'NOTE', 'Suivi', '2025-05-19 09:12:00', '09:12:00', 'poste1', 'Teinte RAL confirmée par courriel'),
  ('AK000019', 'NOTE', 'Suivi', '2025-05-21 10:05:00', '10:05:00', 'poste3', 'CDE PLANIFIEE atelier volets'),
  ('AK000020', 'NOTE', 'Suivi', '2025-06-20 09:12:00', '09:12:00', 'poste1', 'Teinte RAL confirmée par courriel'),
  ('AK000020', 'NOTE', 'Suivi', '2025-06-22 10:05:00', '10:05:00', 'poste3', 'cde Planifiée'),
  ('AK000021', 'NOTE', 'Suivi', '2025-03-21 09:12:00', '09:12:00', 'poste2', 'Appel client, cotes confirmées'),
  ('AK000021', 'NOTE', 'Suivi', '2025-03-23 10:05:00', '10:05:00', 'poste2', 'CDE PLANIFIEE atelier volets'),
  ('AK000022', 'NOTE', 'Suivi', '2025-04-22 09:12:00', '09:12:00', 'poste2', 'Métré vérifié sur place'),
  ('AK000022', 'NOTE', 'Suivi', '2025-04-24 10:05:00', '10:05:00', 'poste1', 'cde Planifiée'),
  ('AK000023', 'NOTE', 'Suivi', '2025-05-23 09:12:00', '09:12:00', 'poste2', 'Appel client, cotes confirmées'),
  ('AK000023', 'NOTE', 'Suivi', '2025-05-25 10:05:00', '10:05:00', 'poste2', 'CDE PLANIFIEE atelier volets'),
  ('AK000024', 'NOTE', 'Suivi', '2025-06-24 09:12:00', '09:12:00', 'poste3', 'Appel client, cotes confirmées'),
  ('AK000024', 'NOTE', 'Suivi', '2025-06-26 10:05:00', '10:05:00', 'poste1', 'cde Planifiée'),
  ('AK000025', 'NOTE', 'Suivi', '2025-05-05 08:00:00', '08:00:00', 'poste2', 'cde Planifiée'),
  ('AK000025', 'NOTE', 'Suivi', '2025-05-19 16:30:00', '16:30:00', 'poste2', 'cde planifiée, reportée d’une semaine'),
  ('AK000025', 'NOTE', 'Suivi', '2025-05-12 11:00:00', '11:00:00', 'poste2', 'Cde Planifiée bis'),
  ('AK000026', 'NOTE', 'Suivi', '2025-04-07 08:00:00', '08:00:00', 'poste1', 'cde Planifiée'),
  ('AK000026', 'NOTE', 'Suivi', '2025-04-22 09:00:00', '09:00:00', 'poste2', 'Client relancé pour acompte'),
  ('AK000027', 'NOTE', 'Suivi', '2025-04-08 08:00:00', '08:00:00', 'poste1', 'cde Planifiée'),
  ('AK000027', 'NOTE', 'Suivi', '2025-04-08 17:00:00', '17:00:00', 'poste1', 'cde Planifiée'),
  ('AK000028', 'NOTE', 'Suivi', NULL, NULL, 'poste3', 'cde Planifiée'),
  ('AK000028', 'NOTE', 'Suivi', '2025-03-31 08:00:00', '08:00:00', 'poste2', 'cde Planifiée'),
  ('AK000029', 'NOTE', 'Suivi', '0000-00-00 00:00:00', '00:00:00', 'poste3', 'cde Planifiée'),
  ('AK000029', 'NOTE', 'Suivi', '2025-03-28 08:00:00', '08:00:00', 'poste1', 'cde Planifiée'),
  ('AK000030', 'NOTE', 'Suivi', '2025-06-14 08:58:00', '08:58:00', 'poste1', 'cde Planifiée'),
  ('AK000031', 'NOTE', 'Suivi', '2025-03-07 08:28:00', '08:28:00', 'poste2', 'cde Planifiée'),
  ('AK000032', 'NOTE', 'Suivi', '2025-05-06 08:52:00', '08:52:00', 'poste2', 'cde Planifiée'),
  ('AK000033', 'NOTE', 'Suivi', '2025-05-24 08:26:00', '08:26:00', 'poste3', 'cde Planifiée'),
  ('AK000034', 'NOTE', 'Suivi', '2025-06-09 08:09:00', '08:09:00', 'poste2', 'cde Planifiée'),
  ('AK000035', 'NOTE', 'Suivi', '2025-04-06 08:14:00', '08:14:00', 'poste1', 'cde Planifiée'),
  ('AK000036', 'NOTE', 'Suivi', '2025-03-17 08:53:00', '08:53:00', 'poste2', 'cde Planifiée'),
  ('AK000037', 'NOTE', 'Suivi', '2025-05-11 08:00:00', '08:00:00', 'poste2', 'cde Planifiée'),
  ('AK000038', 'NOTE', 'Suivi', '2025-06-19 08:23:00', '08:23:00', 'poste1', 'cde Planifiée'),
  ('AK000039', 'NOTE', 'Suivi', '2025-04-24 08:54:00', '08:54:00', 'poste3', 'cde Planifiée'),
  ('AK000040', 'NOTE', 'Suivi', '2025-05-06 08:00:00', '08:00:00', 'poste2', 'cde planifiee'),
  ('AK000041', 'NOTE', 'Suivi', '2025-05-06 09:00:00', '09:00:00', 'poste3', 'ÇDE PLANIFIÉE'),
  ('AK000042', 'NOTE', 'Suivi', '2025-05-07 09:00:00', '09:00:00', 'poste3', 'cde Planifiée'),
  ('AK000043', 'NOTE', 'Suivi', '2025-03-08 08:04:00', '08:04:00', 'poste1', 'cde Planifiée'),
  ('AK000044', 'NOTE', 'Suivi', '2025-05-07 10:00:00', '10:00:00', 'poste3', '👍 cde Planifiée'),
  ('AK000045', 'NOTE', 'Suivi', '2025-05-21 08:03:00', '08:03:00', 'poste1', 'cde Planifiée'),
  ('AK000046', 'NOTE', 'Suivi', '2025-03-20 08:09:00', '08:09:00', 'poste1', 'cde Planifiée'),
  ('AK000047', 'NOTE', 'Suivi', '2025-05-13 08:00:00', '08:00:00', 'poste3', 'cde PlanifiÃ©e'),
  ('AK000048', 'NOTE', 'Suivi', '2025-05-13 09:00:00', '09:00:00', 'poste2', 'Å“illet posÃ©, lâ€™atelier : cde PlanifiÃ©e'),
  ('AK000049', 'NOTE', 'Suivi', '2025-04-22 08:16:00', '08:16:00', 'poste2', 'cde Planifiée'),
  ('AK000050', 'NOTE', 'Suivi', '2025-05-17 08:07:00', '08:07:00', 'poste3', 'cde Planifiée'),
  ('AK000051', 'NOTE', 'Suivi', '2025-05-14 08:00:00', '08:00:00', 'poste1', 'Véranda : cde PlanifiÃ©e'),
  ('AK000052', 'NOTE', 'Suivi', '2025-06-11 08:05:00', '08:05:00', 'poste3', 'cde Planifiée'),
  ('AK000053', 'NOTE', 'Suivi', '2025-03-25 08:21:00', '08:21:00', 'poste2', 'cde Planifiée'),
  ('AK000054', 'NOTE', 'Suivi', '2025-03-03 08:00:00', '08:00:00', 'poste2', 'cde Planifiée'),
  ('AK000055', 'NOTE', 'Suivi', '2025-05-30 08:00:00', '08:00:00', 'poste1', 'cde Planifiée'),
  ('AK000056', 'NOTE', 'Suivi', '2025-05-28 08:00:00', '08:00:00', 'poste3', 'cde Planifiée'),
  ('AK000057', 'NOTE', 'Suivi', '2025-05-02 08:00:00', '08:00:00', 'poste1', 'cde Planifiée'),
  ('AK000058', 'NOTE', 'Suivi', '2025-05-20 08:00:00', '08:00:00', 'poste1', 'cde Planifiée'),
  ('AK000059', 'NOTE', 'Suivi', '2025-05-20 15:00:00', '15:00:00', 'poste2', 'cde Planifiée'),
  ('AK000060', 'NOTE', 'Suivi', '2025-05-21 08:00:00', '08:00:00', 'poste2', 'cde Planifiée'),
  ('AK000061', 'NOTE', 'Suivi', '2025-05-22 08:00:00', '08:00:00', 'poste2', 'cde Planifiée'),
  ('AK000062', 'NOTE', 'Suivi', '2025-04-02 08:00:00', '08:00:00', 'poste2', 'Appel client'),
  ('AK000064', 'NOTE', 'Suivi', '2025-04-02 08:00:00', '08:00:00', 'poste2', NULL),
  ('AK000065', 'NOTE', 'Suivi', '2025-04-02 08:00:00', '08:00:00', 'poste2', 'cde  Planifiée'),
  ('AK000066', 'NOTE', 'Suivi', '2025-04-02 08:00:00', '08:00:00', 'poste3', 'cde Planifié'),
  ('AK000067', 'NOTE', 'Suivi', '2025-04-02 08:00:00', '08:00:00', 'poste3', 'cde fournisseur, volets'),
  ('AK000068', 'NOTE', 'Suivi', '2025-03-27 08:17:00', '08:17:00', 'poste3', 'cde Planifiée'),
  ('AK000069', 'NOTE', 'Suivi', '2025-05-08 08:44:00', '08:44:00', 'poste2', 'cde Planifiée'),
  ('AK000070', 'NOTE', 'Suivi', '2025-06-27 08:59:00', '08:59:00', 'poste2', 'cde Planifiée'),
  ('AK000071', 'NOTE', 'Suivi', '2025-05-04 08:14:00', '08:14:00', 'poste3', 'cde Planifiée'),
  ('AK000072', 'NOTE', 'Suivi', '2025-04-17 08:12:00', '08:12:00', 'poste1', 'cde Planifiée'),
  ('AK000073', 'NOTE', 'Suivi', '2025-04-17 08:39:00', '08:39:00', 'poste2', 'cde Planifiée'),
  ('AK000074', 'NOTE', 'Suivi', '2025-06-22 08:22:00', '08:22:00', 'poste2', 'cde Planifiée'),
  ('AK000075', 'NOTE', 'Suivi', '2025-03-14 08:50:00', '08:50:00', 'poste3', 'cde Planifiée'),
  ('AK000076', 'NOTE', 'Suivi', '2025-06-07 08:27:00', '08:27:00', 'poste3', 'cde Planifiée'),
  ('AK000077', 'NOTE', 'Suivi', '2025-03-27 08:46:00', '08:46:00', 'poste2', 'cde Planifiée'),
  ('AK000078', 'NOTE', 'Suivi', '2025-06-14 08:47:00', '08:47:00', 'poste1', 'cde Planifiée'),
  ('AK000079', 'NOTE', 'Suivi', '2025-04-07 08:08:00', '08:08:00', 'poste1', 'cde Planifiée'),
  ('AK000080', 'NOTE', 'Suivi', '2025-04-20 08:57:00', '08:57:00', 'poste3', 'cde Planifiée'),
  ('AK000081', 'NOTE', 'Suivi', '0000-00-00 00:00:00', '00:00:00', 'poste1', 'cde Planifiée'),
  ('AK000082', 'NOTE', 'Suivi', '2025-06-23 08:59:00', '08:59:00', 'poste1', 'cde Planifiée');

INSERT INTO P_Zubeh (ID_A_Kopf, Position, Kennung, ZNr, ZCode, Text, Stueck) VALUES
  ('AK000001', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000002', 1, 'Z', 10, 'SOP 205 iso', 'Accessoire de volet', 2),
  ('AK000002', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 1),
  ('AK000003', 1, 'Z', 10, 'S P 200', 'Accessoire de volet', 2),
  ('AK000003', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 1),
  ('AK000003', 3, 'Z', 12, 'LAM PVC 37', 'Accessoire de volet', 1),
  ('AK000004', 1, 'Z', 10, 'S D 165', 'Accessoire de volet', 1),
  ('AK000005', 1, 'Z', 10, 'S Q 18', 'Accessoire de volet', 1),
  ('AK000005', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 1),
  ('AK000006', 1, 'Z', 10, 'S T 24', 'Accessoire de volet', 1),
  ('AK000006', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 2),
  ('AK000006', 3, 'Z', 12, 'LAM PVC 37', 'Accessoire de volet', 1),
  ('AK000007', 1, 'Z', 10, 'S TAB 30', 'Accessoire de volet', 1),
  ('AK000008', 1, 'Z', 10, 'S TN 12', 'Accessoire de volet', 1),
  ('AK000008', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 1),
  ('AK000009', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000009', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 2),
  ('AK000009', 3, 'Z', 12, 'LAM PVC 37', 'Accessoire de volet', 1),
  ('AK000010', 1, 'Z', 10, 'SOP 205 iso', 'Accessoire de volet', 1),
  ('AK000011', 1, 'Z', 10, 'S P 200', 'Accessoire de volet', 1),
  ('AK000011', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 1),
  ('AK000012', 1, 'Z', 10, 'S D 165', 'Accessoire de volet', 1),
  ('AK000012', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 2),
  ('AK000012', 3, 'Z', 12, 'LAM PVC 37', 'Accessoire de volet', 1),
  ('AK000013', 1, 'Z', 10, 'S Q 18', 'Accessoire de volet', 1),
  ('AK000014', 1, 'Z', 10, 'S T 24', 'Accessoire de volet', 2),
  ('AK000014', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 1),
  ('AK000015', 1, 'Z', 10, 'S TAB 30', 'Accessoire de volet', 1),
  ('AK000015', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 1),
  ('AK000015', 3, 'Z', 12, 'LAM PVC 37', 'Accessoire de volet', 2),
  ('AK000016', 1, 'Z', 10, 'S TN 12', 'Accessoire de volet', 2),
  ('AK000017', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000017', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 1),
  ('AK000018', 1, 'Z', 10, 'SOP 205 iso', 'Accessoire de volet', 1),
  ('AK000018', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 1),
  ('AK000018', 3, 'Z', 12, 'LAM PVC 37', 'Accessoire de volet', 1),
  ('AK000019', 1, 'Z', 10, 'S P 200', 'Accessoire de volet', 1),
  ('AK000020', 1, 'Z', 10, 'S D 165', 'Accessoire de volet', 1),
  ('AK000020', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 2),
  ('AK000021', 1, 'Z', 10, 'S Q 18', 'Accessoire de volet', 1),
  ('AK000021', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 1),
  ('AK000021', 3, 'Z', 12, 'LAM PVC 37', 'Accessoire de volet', 2),
  ('AK000022', 1, 'Z', 10, 'S T 24', 'Accessoire de volet', 2),
  ('AK000023', 1, 'Z', 10, 'S TAB 30', 'Accessoire de volet', 2),
  ('AK000023', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 2),
  ('AK000024', 1, 'Z', 10, 'S TN 12', 'Accessoire de volet', 1),
  ('AK000024', 2, 'Z', 11, 'MOT-10', 'Accessoire de volet', 1),
  ('AK000024', 3, 'Z', 12, 'LAM PVC 37', 'Accessoire de volet', 1),
  ('AK000025', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000026', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000027', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000028', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000029', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000030', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000030', 2, 'Z', 11, 'S D 165', 'Accessoire de volet', 1),
  ('AK000030', 3, 'Z', 12, 'MOT-10', 'Accessoire de volet', 1),
  ('AK000031', 1, 'Z', 10, 'S TAB 30', 'Accessoire de volet', 1),
  ('AK000031', 2, 'Z', 11, 'S TAB 30', 'Accessoire de volet', 1),
  ('AK000032', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000032', 2, 'Z', 11, 'S P 200', 'Accessoire de volet', 2),
  ('AK000032', 3, 'Z', 12, 'S D 165', 'Accessoire de volet', 1),
  ('AK000032', 4, 'Z', 13, 'S Q 18', 'Accessoire de volet', 2),
  ('AK000032', 5, 'Z', 14, 'S T 24', 'Accessoire de volet', 1),
  ('AK000032', 6, 'Z', 15, 'S TAB 30', 'Accessoire de volet', 1),
  ('AK000032', 7, 'Z', 16, 'S TN 12', 'Accessoire de volet', 1),
  ('AK000033', 1, 'Z', 10, 'sop 185', 'Accessoire de volet', 1),
  ('AK000033', 2, 'Z', 11, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000034', 1, 'Z', 10, 'TELEC', 'Accessoire de volet', 1),
  ('AK000034', 2, 'Z', 11, 'S T 24', 'Accessoire de volet', 1),
  ('AK000034', 3, 'Z', 12, 'SANGLE', 'Accessoire de volet', 1),
  ('AK000034', 4, 'Z', 13, 'COUL 55', 'Accessoire de volet', 1),
  ('AK000035', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000036', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000037', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000038', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000039', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000040', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000041', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000042', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000043', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000044', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000045', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000046', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000047', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000048', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000049', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000050', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000051', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000052', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000053', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000054', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000055', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000056', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000057', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000058', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000059', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000060', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000061', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000062', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000063', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000064', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000065', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000066', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000067', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000068', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000069', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000070', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000071', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000072', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1),
  ('AK000074', 1, 'Z', 10, 'MOT-10', 'Accessoire de volet', 2),
  ('AK000074', 2, 'Z', 11, 'TELEC', 'Accessoire de volet', 1),
  ('AK000075', 1, 'Z', 10, 'S P', 'Accessoire de volet', 1),
  ('AK000076', 1, 'Z', 10, 'SP 200', 'Accessoire de volet', 2),
  ('AK000077', 1, 'Z', 10, ' SOP 185', 'Accessoire de volet', 1),
  ('AK000078', 1, 'Z', 10, 'S TABLIER', 'Accessoire de volet', 1),
  ('AK000079', 1, 'Z', 10, 'S  P 200', 'Accessoire de volet', 1),
  ('AK000080', 1, 'Z', 10, NULL, 'Accessoire de volet', 1),
  ('AK000081', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 2),
  ('AK000082', 1, 'Z', 10, 'SOP 185', 'Accessoire de volet', 1);

INSERT INTO A_Vorgang (ID_A_Kopf, Nummer, Bezeichnung, Datum, Benutzer, NotizText) VALUES
  ('AK000001', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000001', 'VR-STOCK', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000001', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000002', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000002', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000002', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000003', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000003', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000003', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000004', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000004', 'VR-STOCK', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000004', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000005', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000005', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000005', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000006', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000006', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000006', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000007', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000007', 'VR-STOCK', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000007', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000008', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000008', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000008', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000009', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000009', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000009', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000010', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000010', 'VR-STOCK', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000010', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000011', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000011', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000011', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000012', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000012', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000012', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000013', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000013', 'VR-STOCK', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000013', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000014', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000014', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000014', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000015', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000015', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000015', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000016', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000016', 'VR-STOCK', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000016', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000017', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000017', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000017', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000018', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000018', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000018', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000019', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000019', 'VR-STOCK', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000019', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000020', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000020', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000020', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000021', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000021', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000021', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000022', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000022', 'VR-STOCK', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000022', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000023', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000023', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000023', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000024', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000024', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000024', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000025', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000025', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000026', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000026', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000027', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000027', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000028', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000028', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000029', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000029', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000030', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000030', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000031', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000031', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000032', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000032', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000033', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000033', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000034', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000034', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000035', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000035', 'P12VR3', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000036', 'vr', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000037', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000037', 'USINAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000037', 'QUINC', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000037', 'VR', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000037', 'EXPED', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000039', 'V R', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000040', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000040', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000041', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000041', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000042', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000042', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000043', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000043', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000044', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000044', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000045', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000045', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000046', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000046', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000047', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000047', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000048', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000048', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000049', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000049', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000050', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000050', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000051', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000051', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000052', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000052', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000053', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000053', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000054', 'VR', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000055', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000055', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000056', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000056', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000057', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000057', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000058', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000058', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000059', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000059', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000060', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000060', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000061', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000061', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000062', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000062', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000063', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000063', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000064', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000064', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000065', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000065', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000066', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000066', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000067', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000067', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000068', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000068', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000069', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000069', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000070', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000070', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000071', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000071', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000072', 'VR', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000073', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000073', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000074', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000074', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000075', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000075', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000076', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000076', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000077', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000077', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000078', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000078', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000079', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000079', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000080', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000080', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000081', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000081', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000082', 'DEBIT', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL),
  ('AK000082', 'MONTAGE', 'Opération', '2025-05-01 07:30:00', 'poste1', NULL);

INSERT INTO A_KopfFreie (ID_A_Kopf, Feld, Wert) VALUES
  ('AK000001', 'Couleur', 'RAL 9016'),
  ('AK000002', 'Couleur', 'Chêne doré'),
  ('AK000003', 'Couleur', 'RAL 7016'),
  ('AK000004', 'Couleur', 'Chêne doré'),
  ('AK000005', 'Couleur', 'RAL 7016'),
  ('AK000006', 'Couleur', 'RAL 7016'),
  ('AK000007', 'Couleur', 'RAL 9016'),
  ('AK000008', 'Couleur', 'Chêne doré'),
  ('AK000009', 'Couleur', 'Chêne doré'),
  ('AK000010', 'Couleur', 'RAL 9016'),
  ('AK000011', 'Couleur', 'RAL 7016'),
  ('AK000012', 'Couleur', 'RAL 7016'),
  ('AK000013', 'Couleur', 'RAL 7016'),
  ('AK000014', 'Couleur', 'RAL 9016'),
  ('AK000015', 'Couleur', 'Chêne doré'),
  ('AK000016', 'Couleur', 'Chêne doré'),
  ('AK000017', 'Couleur', 'RAL 9016'),
  ('AK000018', 'Couleur', 'RAL 7016'),
  ('AK000019', 'Couleur', 'RAL 9016'),
  ('AK000020', 'Couleur', 'RAL 7016'),
  ('AK000021', 'Couleur', 'Chêne doré'),
  ('AK000022', 'Couleur', 'RAL 9016'),
  ('AK000023', 'Couleur', 'RAL 9016'),
  ('AK000024', 'Couleur', 'RAL 7016'),
  ('AK000025', 'Couleur', 'RAL 9016'),
  ('AK000026', 'Couleur', 'RAL 7016'),
  ('AK000027', 'Couleur', 'Chêne doré'),
  ('AK000028', 'Couleur', 'RAL 9016'),
  ('AK000029', 'Couleur', 'Chêne doré'),
  ('AK000030', 'Couleur', 'RAL 9016'),
  ('AK000031', 'Couleur', 'RAL 9016'),
  ('AK000032', 'Couleur', 'Chêne doré'),
  ('AK000033', 'Couleur', 'RAL 9016'),
  ('AK000034', 'Couleur', 'RAL 7016'),
  ('AK000035', 'Couleur', 'RAL 7016'),
  ('AK000036', 'Couleur', 'RAL 9016'),
  ('AK000037', 'Couleur', 'Chêne doré'),
  ('AK000038', 'Couleur', 'Chêne doré'),
  ('AK000039', 'Couleur', 'RAL 7016'),
  ('AK000040', 'Couleur', 'RAL 7016'),
  ('AK000041', 'Couleur', 'RAL 9016'),
  ('AK000042', 'Couleur', 'RAL 7016'),
  ('AK000043', 'Couleur', 'RAL 9016'),
  ('AK000044', 'Couleur', 'RAL 7016'),
  ('AK000045', 'Couleur', 'RAL 7016'),
  ('AK000046', 'Couleur', 'RAL 9016'),
  ('AK000047', 'Couleur', 'RAL 7016'),
  ('AK000048', 'Couleur', 'RAL 9016'),
  ('AK000049', 'Couleur', 'RAL 9016'),
  ('AK000050', 'Couleur', 'RAL 7016'),
  ('AK000051', 'Couleur', 'Chêne doré'),
  ('AK000052', 'Couleur', 'RAL 9016'),
  ('AK000053', 'Couleur', 'Chêne doré'),
  ('AK000054', 'Couleur', 'RAL 7016'),
  ('AK000055', 'Couleur', 'RAL 7016'),
  ('AK000056', 'Couleur', 'RAL 9016'),
  ('AK000057', 'Couleur', 'RAL 9016'),
  ('AK000058', 'Couleur', 'Chêne doré'),
  ('AK000059', 'Couleur', 'RAL 7016'),
  ('AK000060', 'Couleur', 'Chêne doré'),
  ('AK000061', 'Couleur', 'RAL 7016'),
  ('AK000062', 'Couleur', 'RAL 9016'),
  ('AK000063', 'Couleur', 'RAL 7016'),
  ('AK000064', 'Couleur', 'RAL 7016'),
  ('AK000065', 'Couleur', 'RAL 7016'),
  ('AK000066', 'Couleur', 'Chêne doré'),
  ('AK000067', 'Couleur', 'RAL 7016'),
  ('AK000068', 'Couleur', 'RAL 9016'),
  ('AK000069', 'Couleur', 'RAL 7016'),
  ('AK000070', 'Couleur', 'Chêne doré'),
  ('AK000071', 'Couleur', 'RAL 7016'),
  ('AK000072', 'Couleur', 'RAL 7016'),
  ('AK000073', 'Couleur', 'RAL 9016'),
  ('AK000074', 'Couleur', 'RAL 9016'),
  ('AK000075', 'Couleur', 'Chêne doré'),
  ('AK000076', 'Couleur', 'RAL 9016'),
  ('AK000077', 'Couleur', 'Chêne doré'),
  ('AK000078', 'Couleur', 'RAL 7016'),
  ('AK000079', 'Couleur', 'RAL 7016'),
  ('AK000080', 'Couleur', 'RAL 7016'),
  ('AK000081', 'Couleur', 'RAL 9016'),
  ('AK000082', 'Couleur', 'RAL 7016');

INSERT INTO P_Artikel (ID_A_Kopf, Position, ArtikelNr, Text, Stueck) VALUES
  ('AK000001', 1, 'ART-024', 'Fenêtre deux vantaux', 3),
  ('AK000002', 1, 'ART-068', 'Fenêtre deux vantaux', 3),
  ('AK000003', 1, 'ART-060', 'Fenêtre deux vantaux', 1),
  ('AK000004', 1, 'ART-040', 'Fenêtre deux vantaux', 3),
  ('AK000005', 1, 'ART-049', 'Fenêtre deux vantaux', 2),
  ('AK000006', 1, 'ART-043', 'Fenêtre deux vantaux', 2),
  ('AK000007', 1, 'ART-022', 'Fenêtre deux vantaux', 1),
  ('AK000008', 1, 'ART-001', 'Fenêtre deux vantaux', 1),
  ('AK000009', 1, 'ART-036', 'Fenêtre deux vantaux', 1),
  ('AK000010', 1, 'ART-045', 'Fenêtre deux vantaux', 2),
  ('AK000011', 1, 'ART-016', 'Fenêtre deux vantaux', 3),
  ('AK000012', 1, 'ART-027', 'Fenêtre deux vantaux', 2),
  ('AK000013', 1, 'ART-046', 'Fenêtre deux vantaux', 2),
  ('AK000014', 1, 'ART-056', 'Fenêtre deux vantaux', 1),
  ('AK000015', 1, 'ART-007', 'Fenêtre deux vantaux', 3),
  ('AK000016', 1, 'ART-061', 'Fenêtre deux vantaux', 1),
  ('AK000017', 1, 'ART-048', 'Fenêtre deux vantaux', 3),
  ('AK000018', 1, 'ART-058', 'Fenêtre deux vantaux', 1),
  ('AK000019', 1, 'ART-042', 'Fenêtre deux vantaux', 2),
  ('AK000020', 1, 'ART-061', 'Fenêtre deux vantaux', 1),
  ('AK000021', 1, 'ART-081', 'Fenêtre deux vantaux', 2),
  ('AK000022', 1, 'ART-032', 'Fenêtre deux vantaux', 3),
  ('AK000023', 1, 'ART-052', 'Fenêtre deux vantaux', 1),
  ('AK000024', 1, 'ART-049', 'Fenêtre deux vantaux', 1),
  ('AK000025', 1, 'ART-060', 'Fenêtre deux vantaux', 1),
  ('AK000026', 1, 'ART-008', 'Fenêtre deux vantaux', 2),
  ('AK000027', 1, 'ART-025', 'Fenêtre deux vantaux', 3),
  ('AK000028', 1, 'ART-009', 'Fenêtre deux vantaux', 3),
  ('AK000029', 1, 'ART-044', 'Fenêtre deux vantaux', 2),
  ('AK000030', 1, 'ART-035', 'Fenêtre deux vantaux', 2),
  ('AK000031', 1, 'ART-079', 'Fenêtre deux vantaux', 1),
  ('AK000032', 1, 'ART-034', 'Fenêtre deux vantaux', 3),
  ('AK000033', 1, 'ART-089', 'Fenêtre deux vantaux', 2),
  ('AK000034', 1, 'ART-036', 'Fenêtre deux vantaux', 2),
  ('AK000035', 1, 'ART-001', 'Fenêtre deux vantaux', 3),
  ('AK000036', 1, 'ART-077', 'Fenêtre deux vantaux', 3),
  ('AK000037', 1, 'ART-009', 'Fenêtre deux vantaux', 1),
  ('AK000038', 1, 'ART-030', 'Fenêtre deux vantaux', 1),
  ('AK000039', 1, 'ART-061', 'Fenêtre deux vantaux', 3),
  ('AK000040', 1, 'ART-060', 'Fenêtre deux vantaux', 2),
  ('AK000041', 1, 'ART-033', 'Fenêtre deux vantaux', 2),
  ('AK000042', 1, 'ART-064', 'Fenêtre deux vantaux', 1),
  ('AK000043', 1, 'ART-064', 'Fenêtre deux vantaux', 1),
  ('AK000044', 1, 'ART-002', 'Fenêtre deux vantaux', 3),
  ('AK000045', 1, 'ART-039', 'Fenêtre deux vantaux', 3),
  ('AK000046', 1, 'ART-020', 'Fenêtre deux vantaux', 3),
  ('AK000047', 1, 'ART-031', 'Fenêtre deux vantaux', 2),
  ('AK000048', 1, 'ART-041', 'Fenêtre deux vantaux', 2),
  ('AK000049', 1, 'ART-047', 'Fenêtre deux vantaux', 3),
  ('AK000050', 1, 'ART-011', 'Fenêtre deux vantaux', 3),
  ('AK000051', 1, 'ART-026', 'Fenêtre deux vantaux', 2),
  ('AK000052', 1, 'ART-021', 'Fenêtre deux vantaux', 1),
  ('AK000053', 1, 'ART-053', 'Fenêtre deux vantaux', 1),
  ('AK000054', 1, 'ART-084', 'Fenêtre deux vantaux', 1),
  ('AK000055', 1, 'ART-062', 'Fenêtre deux vantaux', 3),
  ('AK000056', 1, 'ART-070', 'Fenêtre deux vantaux', 2),
  ('AK000057', 1, 'ART-021', 'Fenêtre deux vantaux', 2),
  ('AK000058', 1, 'ART-014', 'Fenêtre deux vantaux', 1),
  ('AK000059', 1, 'ART-034', 'Fenêtre deux vantaux', 3),
  ('AK000060', 1, 'ART-011', 'Fenêtre deux vantaux', 1),
  ('AK000061', 1, 'ART-013', 'Fenêtre deux vantaux', 2),
  ('AK000062', 1, 'ART-064', 'Fenêtre deux vantaux', 3),
  ('AK000063', 1, 'ART-058', 'Fenêtre deux vantaux', 1),
  ('AK000064', 1, 'ART-030', 'Fenêtre deux vantaux', 1),
  ('AK000065', 1, 'ART-054', 'Fenêtre deux vantaux', 2),
  ('AK000066', 1, 'ART-080', 'Fenêtre deux vantaux', 3),
  ('AK000067', 1, 'ART-031', 'Fenêtre deux vantaux', 3),
  ('AK000068', 1, 'ART-069', 'Fenêtre deux vantaux', 3),
  ('AK000069', 1, 'ART-016', 'Fenêtre deux vantaux', 2),
  ('AK000070', 1, 'ART-038', 'Fenêtre deux vantaux', 2),
  ('AK000071', 1, 'ART-073', 'Fenêtre deux vantaux', 2),
  ('AK000072', 1, 'ART-048', 'Fenêtre deux vantaux', 2),
  ('AK000073', 1, 'ART-034', 'Fenêtre deux vantaux', 1),
  ('AK000074', 1, 'ART-057', 'Fenêtre deux vantaux', 1),
  ('AK000075', 1, 'ART-024', 'Fenêtre deux vantaux', 1),
  ('AK000076', 1, 'ART-031', 'Fenêtre deux vantaux', 1),
  ('AK000077', 1, 'ART-037', 'Fenêtre deux vantaux', 3),
  ('AK000078', 1, 'ART-025', 'Fenêtre deux vantaux', 2),
  ('AK000079', 1, 'ART-009', 'Fenêtre deux vantaux', 2),
  ('AK000080', 1, 'ART-033', 'Fenêtre deux vantaux', 1),
  ('AK000081', 1, 'ART-065', 'Fenêtre deux vantaux', 3),
  ('AK000082', 1, 'ART-030', 'Fenêtre deux vantaux', 3);

-- L'utilisateur de lecture : colonne par colonne, rien d'autre. Changez son mot de passe ailleurs qu'en démonstration.
DROP USER IF EXISTS 'atelier_lecture'@'%';
CREATE USER 'atelier_lecture'@'%' IDENTIFIED BY 'demonstration';
GRANT SELECT (ID, AuNummer, AuAlpha, AufStatus) ON erp.A_Kopf TO 'atelier_lecture'@'%';
GRANT SELECT (ID_A_Kopf, Datum, Notiz) ON erp.A_Logbuch TO 'atelier_lecture'@'%';
GRANT SELECT (ID_A_Kopf, ZCode) ON erp.P_Zubeh TO 'atelier_lecture'@'%';
GRANT SELECT (ID_A_Kopf, Nummer) ON erp.A_Vorgang TO 'atelier_lecture'@'%';
