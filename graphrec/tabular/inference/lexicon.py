"""Word lists by which columns and files are recognised, in several languages."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words for users, alone (`user`) or with an id suffix (`customer_no`).
USERS = _words(
    """
    klient klant musteri asiakas zakaznik gast socio comprador acheteur leser lecteur kunnr kunag kunwe kndnr msno
    gamer taster tester rider runner tourist pupil teilnehmer participant attendee citizen resident tenant insured
    policyholder cardholder holder scholar caller worker freelancer seeker commenter uploader watcher fan hiker cook
    eater diner drinker walker camper skier diver
    user customer client visitor member reviewer account person reader listener viewer uid buyer shopper consumer
    subscriber patient student learner player guest passenger household panelist rater voter critic investor profile
    username login nickname screenname cust usr patron borrower donor donator trustor truster follower applicant
    candidate employee persona visitorid nutzer benutzer kunde kunden kund mitglied utilisateur usuario cliente
    utente backer traveler traveller respondent
    """
)
#: Words for items.
ITEMS = _words(
    """
    produto produkty urun vara vare tuote kurs curso cancion chanson lied aid nid vid matnr artnr artikkel
    exhibit trail hike cocktail coffee cheese flower car vehicle bike pokemon skill dataset gene molecule protein
    ticker coin nft channel boardgame puzzle quiz lecture seminar workshop mooc webinar concert festival ebook
    audiobook magazine journal newspaper
    item movie film sku asin isbn book artist song track album game article business venue poi product recipe
    restaurant video course iid anime manga hotel listing artikel produkt ean upc gtin barcode joke paper document
    repo repository podcast episode beer wine dish meal food coupon deal commodity merchandise story comic manhwa
    novel drama perfume fragrance garment outfit pid mid bid gmap webtoon livre produit producto articulo prodotto
    pelicula libro filme buch ware sock toy drug medicine destination accommodation museum tvshow articolo lesson
    """
)
#: Words that mean an item only with an id suffix: `stock` is a quantity, `StockCode` an item.
ITEMS_WITH_ID = _words(
    """
    campaign route peak card tool library disease symbol token stream plan tariff account_type device policy bundle
    menu room
    stock part model event page post work service fund style object entity target thing content media material
    property project station program programme offer ad advert job vacancy place location show problem image photo
    app theme series serie package thread clip creative goods merchant store shop attraction news doc exercise
    question
    """
)
#: Words for groups of items: label and relationship type of the nodes made of their values.
GROUPS = {
    "genre": ("Genre", "IN_GENRE"),
    "category": ("Category", "IN_CATEGORY"),
    "categorie": ("Category", "IN_CATEGORY"),
    "kategorie": ("Category", "IN_CATEGORY"),
    "categoria": ("Category", "IN_CATEGORY"),
    "subcategory": ("Subcategory", "IN_SUBCATEGORY"),
    "warengruppe": ("Category", "IN_CATEGORY"),
    "matkl": ("Category", "IN_CATEGORY"),
    "marke": ("Brand", "BY_BRAND"),
    "marca": ("Brand", "BY_BRAND"),
    "marque": ("Brand", "BY_BRAND"),
    "autor": ("Author", "BY_AUTHOR"),
    "auteur": ("Author", "BY_AUTHOR"),
    "verlag": ("Publisher", "PUBLISHED_BY"),
    "department": ("Department", "IN_DEPARTMENT"),
    "dept": ("Department", "IN_DEPARTMENT"),
    "aisle": ("Aisle", "IN_AISLE"),
    "tag": ("Tag", "HAS_TAG"),
    "keyword": ("Keyword", "HAS_KEYWORD"),
    "topic": ("Topic", "HAS_TOPIC"),
    "brand": ("Brand", "BY_BRAND"),
    "author": ("Author", "BY_AUTHOR"),
    "artist": ("Artist", "BY_ARTIST"),
    "director": ("Director", "DIRECTED_BY"),
    "actor": ("Actor", "HAS_ACTOR"),
    "cast": ("Actor", "HAS_ACTOR"),
    "publisher": ("Publisher", "PUBLISHED_BY"),
    "manufacturer": ("Manufacturer", "MADE_BY"),
    "hersteller": ("Manufacturer", "MADE_BY"),
    "developer": ("Developer", "DEVELOPED_BY"),
    "studio": ("Studio", "MADE_BY_STUDIO"),
    "cuisine": ("Cuisine", "HAS_CUISINE"),
    "ingredient": ("Ingredient", "HAS_INGREDIENT"),
}
#: Words for ids that identify or group rows, but are neither users nor items.
CONTEXTS = _words(
    """
    encomenda ordine zamowienie fatura factura beleg kassenbon siparis vbeln posnr ebeln ebelp aufnr belnr
    order invoice basket cart session transaction receipt bill ticket trip visit row index line review record rating
    log seq sequence request impression bestellung rechnung facture commande pedido warenkorb tx trans txn purchase
    checkout bon sale interaction playlist message
    """
)
#: Suffixes of id columns; German and Spanish ones are joined to the word.
ID_ENDINGS = _words(
    """
    id ids uri key code no nr num number nummer uuid guid hash pk sk idx ref identifier nbr 10 13 1 2 a b x y
    """
)
#: Words without a meaning for the role of a column.
FILLERS = _words(
    """
    pseudo anonymised
    unique original internal external source src parent anon anonymous anonymized hashed encoded raw new old the my
    dim fact fk full display short long main global amazon goodreads steam imdb tmdb spotify lastfm yelp netflix
    remap org ext
    """
)
#: Words for names and titles.
TITLES = _words(
    """
    nome naam bezeichnung intitule maktx arktx
    name title titel nom nombre label caption headline
    """
)
#: Words for the second user of a social relation: its relationship type.
SOCIAL_RELATIONS = {
    "friend": "FRIEND",
    "neighbour": "FRIEND",
    "neighbor": "FRIEND",
    "contact": "FRIEND",
    "buddy": "FRIEND",
    "followee": "FOLLOWS",
    "followed": "FOLLOWS",
    "following": "FOLLOWS",
    "follows": "FOLLOWS",
    "trustee": "TRUSTS",
    "trusted": "TRUSTS",
    "trusts": "TRUSTS",
}
#: Generic names of the first and second id column of an edge list.
EDGE_LIST_ENDS = {
    "source": "target",
    "src": "dst",
    "from": "to",
    "fromnodeid": "tonodeid",
    "node1": "node2",
    "sourceid": "targetid",
    "fromid": "toid",
    "srcid": "dstid",
    "userid1": "userid2",
}
#: Words for ratings.
RATINGS = _words(
    """
    avaliacao calificacion puntaje ocena beoordeling valutazione punteggio betyg note
    points punkte punkt valoracion voto
    rating ratings star stars score overall rate grade mark vote feedback bewertung nota puntuacion likert
    preference valuation userrating reviewscore averagerating
    """
)
#: Words for counts and quantities of an interaction.
WEIGHTS = _words(
    """
    quantidade aantal ilosc adet antal qtd qte cant mengen fkimg kwmeng lfimg kolichestvo
    downloads installs loans checkouts streams rentals uses rides orders
    weight count plays playcount listens listencount quantity qty hours playtime units menge anzahl scrobbles
    minutes duration frequency freq clicks views visits quantite cantidad unidades purchases times playtimeforever
    ordercount quantita stueck hoursplayed numplays playduration watchtime watchratio
    """
)
#: Words for event columns (the kind of action).
EVENTS = _words(
    """
    event eventtype eventname action actiontype actionname behaviour behavior behaviortype behaviourtype activity
    activitytype type interaction interactiontype operation verb op
    """
)
#: Words for tags given by users.
TAGS = _words(
    """
    tag tagname tagid tagvalue tags
    """
)
#: Words for properties of an edge: payment, device, position and the like.
EDGE_ATTRIBUTES = _words(
    """
    helpful useful funny cool helpfulvote vote votes upvotes downvotes likes verified verifiedpurchase discount
    profit session channel payment paymentmethod status device platform ip referrer referer position rank shipmode
    currency method source campaign medium useragent browser os reordered tip tax shipping quantity
    """
)
#: Words for the text of a review.
REVIEW_TEXTS = _words(
    """
    text reviewtext review comment summary body content reviewbody comments reviewtitle
    """
)
#: Words for prices and amounts of a sale.
LINE_PRICES = _words(
    """
    preco prezzo cena prijs montant importe betrag umsatz valor netwr netpr kbetr
    price unitprice amount total revenue sales cost linetotal discount tax preis prix precio saleprice salesamount
    paid value totalprice itemprice freightvalue
    """
)
#: Words for properties of users.
USER_ATTRIBUTES = _words(
    """
    edad alter idade sexo geschlecht localidad cidade stadt vorname nachname birthyear yearofbirth
    age gender sex occupation zip zipcode postcode country city state region email phone income education married
    birth birthdate birthday dob firstname lastname surname address membership segment tier loyalty land ort plz
    pays ville ciudad pais language locale signup
    """
)
#: Words for properties of items.
ITEM_ATTRIBUTES = _words(
    """
    maktx arktx
    title description desc year genre genres price colour color size weight brand category author publisher name
    language pages runtime director release released releasedate synopsis plot url image poster artist album titel
    beschreibung bezeichnung designation libelle descripcion omschrijving preis lat lon latitude longitude
    produktname artikelname
    """
)
#: Words for the time of an action.
TIMES = _words(
    """
    tarih dato horodatage
    time timestamp date datetime ts created at day when zeit datum fecha moment on unixtime utc tijd timecreated
    epoch zeitpunkt heure uhrzeit created_at dt unixreviewtime timestmp tmsp stamp seconds data
    """
)
#: Words for times of a user, an item or a later step, not of the action.
OTHER_TIMES = _words(
    """
    birth birthdate birthday dob release released releasedate published publication updated modified changed edited
    joined registered registration signup expiry expires delivery delivered shipped shipping due end ended finished
    estimated approved limit deadline last yelping member launch launched started
    """
)
#: Words for ids of things that a person carries, which replace users if no column has user ids.
PERSONAL_IDS = _words(
    "card karte carte tarjeta device cookie browser wallet phone msisdn imei loyalty household fingerprint"
)
#: First words of columns that describe the action: order_status, invoice_total.
ACTION_PREFIXES = _words(
    "order invoice transaction purchase receipt checkout payment booking bestellung commande pedido"
)
#: Stems that may be the end of a compound (`pageview`).
ENDING_STEMS = ("view", "click", "cart", "basket", "purchase", "order", "wishlist")
#: Words that begin with a stem of a behaviour but do not mean it.
NON_BEHAVIOUR_WORDS = _words(
    """
    player players playground display ratecode tagline salesman reader readers readme ready starts started start
    stars poster postal postcode viewer viewers listener listeners reviewer reviewers buyer buyers rater raters
    voter voters subscriber subscribers follower followers borrower viewpoint stage likely
    """
)
#: Words with a suffix of persons (-er, -or) that do not mean users.
NON_AGENTS = _words(
    """
    order number paper letter weather folder header server router container printer computer counter register color
    sector vector factor chapter layer trailer seller vendor author publisher director provider supplier retailer dealer
    manufacturer developer designer producer carrier courier driver actor singer composer editor creator owner manager
    advisor doctor artist playlist list brewer baker maker farmer wholesaler distributor contractor operator master
    other cluster filter parameter quarter center semester offer banner poster sticker
    """
)
