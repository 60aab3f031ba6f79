/**
 * What common passwords of twelve characters and more are made of, in French and English, without accents and capitals.
 * Not the passwords themselves: they are these words in a row, with years, suites and signs between
 * (`motdepasse2024!`), which `devinable.ts` takes apart. Each word has four letters or more.
 */
export const MOTS_COMMUNS: readonly string[] = `
motdepasse passe passer code secret sesame acces ouvre ouvretoi connexion identifiant utilisateur compte
bienvenue bonjour bonsoir coucou salut merci provisoire temporaire nouveau changer changemoi changezmoi defaut essai
password passwd passwort pass word welcome hello login logon letmein changeme default temporary temp access
open enter user guest root admin administrateur administrator adminadmin superuser master system systeme test testing
tester demo example exemple secure security securite private prive qwerty azerty qwertz azertyuiop

atelier usine usinage factory machine machines production produire centre volet volets roulant roulants coffre tablier
lame lames profil profils commande commandes piece pieces fenetre fenetres porte menuiserie fermeture fermetures store
stores alu aluminium metal plastique fabrication fabricant industrie planning stock magasin entreprise societe company
bureau office travail work equipe team chef patron direction qualite maintenance technique client fournisseur
ordinateur computer serveur server reseau network internet wifi bluetooth windows linux ubuntu microsoft
google gmail facebook instagram youtube whatsapp samsung apple iphone android orange free bouygues
postgres postgresql mysql mariadb database base donnees dashboard tableau excel powerbi grafana docker

janvier fevrier mars avril juin juillet aout septembre octobre novembre decembre printemps automne hiver
lundi mardi mercredi jeudi vendredi samedi dimanche semaine vacances anniversaire noel
january february march april june july august september october november december spring summer autumn fall winter
monday tuesday wednesday thursday friday saturday sunday birthday christmas holiday

soleil lune etoile etoiles ciel nuage pluie neige orage montagne plage foret fleur fleurs rose jardin arbre maison
famille papa maman bebe enfant enfants cheri cherie amour jetaime bisou bisous coeur bonheur liberte egalite fraternite
chouchou doudou loulou loulou titi nounou minou minette chaton chat chats chien chiens cheval chevaux lapin souris
poisson oiseau licorne dragon tigre lion loup ours panda canard poulet chocolat fromage baguette croissant cafe pizza
banane pomme fraise cerise caramel vanille bonbon princesse prince reine musique guitare piano football rugby tennis
petanque velo voiture moto camion avion bateau train peugeot renault citroen ferrari porsche mercedes
paris marseille lyon toulouse nice nantes strasbourg bordeaux lille rennes reims grenoble dijon angers france francais
bretagne normandie alsace vendee corse europe allezlom olympique stade

sunshine princess monkey shadow freedom whatever trustno iloveyou loveyou love lovely lover baby angel flower
football baseball basketball soccer hockey superman batman spiderman starwars pokemon naruto pikachu mario zelda
hunter killer ninja cookie cheese chocolate pepper ginger summer tiger eagle falcon phoenix thunder mustang corvette
michael jordan michelle jennifer jessica ashley daniel andrew thomas robert william charlie charlotte matthew joshua
purple silver golden diamond crystal blue green yellow black white orange happy lucky forever family friends friend
money power magic heaven jesus christ dream dreams peace world matrix

marie martin bernard dubois durand moreau laurent simon michel lefebvre leroy roux david bertrand morel fournier girard
nicolas julien thomas pierre paul jean jacques louis lucas hugo theo enzo nathan mathis antoine maxime alexandre kevin
romain guillaume vincent sebastien olivier philippe stephane christophe frederic patrick pascal thierry laurence
camille emma lea manon chloe ines jade louise alice juliette pauline marine sarah laura julie sophie isabelle nathalie
sandrine valerie sylvie catherine christine veronique celine aurelie emilie caroline amelie virginie stephanie
`
  .split(/\s+/)
  .filter((mot) => /^[a-z]{4,}$/.test(mot));
