"""The words of the generated corpus, in English and Spanish.

The lists were written for this project. The Spanish is that of Spain, in the spelling of the Royal Spanish
Academy.
"""

from collections.abc import Callable
from typing import TypeVar

from s2s.data.synthetic.spanish.grammar import (
    FIRST,
    FIRST_PLURAL,
    SECOND,
    THIRD,
    THIRD_PLURAL,
    Adjective,
    Noun,
    Phrase,
    Verb,
)

Word = TypeVar("Word")


def table(kind: Callable[..., Word], text: str, *same: str) -> list[Word]:
    """Rows apart by semicolons, columns by white space; `same` ends every row."""
    return [kind(*row.split(), *same) for row in text.split(";")]


THINGS = table(
    Noun,
    "house casa f; car coche m; book libro m; table mesa f; chair silla f; shirt camisa f; shoe zapato m; "
    "hat sombrero m; key llave f; pencil lápiz m; flower flor f; tree árbol m; umbrella paraguas m; map mapa m; "
    "apple manzana f",
)
VEHICLES = table(Noun, "train tren m; bus autobús m; plane avión m; ship barco m")
EVENTS = table(Noun, "class clase f; party fiesta f; meeting reunión f; concert concierto m; movie película f")
PLACES = table(Noun, "store tienda f; museum museo m; library biblioteca f; bank banco m")
ROOMS = table(Noun, "kitchen cocina f; garden jardín m; street calle f")
PERIODS = table(Noun, "day día m; week semana f; month mes m; year año m")
MONEY = [  # a currency and what a hundred of make one
    (Noun("euro", "euro", "m"), Noun("cent", "céntimo", "m")),
    (Noun("dollar", "dólar", "m"), Noun("cent", "centavo", "m")),
    (Noun("pound", "libra", "f"), Noun("penny", "penique", "m")),
]

COLORS = table(
    Adjective,
    "red rojo; white blanco; black negro; yellow amarillo; green verde; blue azul; gray gris; brown marrón",
)
QUALITIES = table(Adjective, "small pequeño; big grande; old viejo; expensive caro; cheap barato")
STATES = table(Adjective, "clean limpio; dirty sucio; broken roto", "estar")
OPENING = table(Adjective, "open abierto; closed cerrado", "estar")

ACTIONS = [
    Verb(
        "buy",
        "bought",
        "compro compras compra compramos compran",
        "compré compraste compró compramos compraron",
        "comprar",
    ),
    Verb("sell", "sold", "vendo vendes vende vendemos venden", "vendí vendiste vendió vendimos vendieron", "vender"),
    Verb(
        "find",
        "found",
        "encuentro encuentras encuentra encontramos encuentran",
        "encontré encontraste encontró encontramos encontraron",
        "encontrar",
    ),
    Verb(
        "look for",
        "looked for",
        "busco buscas busca buscamos buscan",
        "busqué buscaste buscó buscamos buscaron",
        "buscar",
    ),
]
PAY = Verb("pay", "paid", "pago pagas paga pagamos pagan", "pagué pagaste pagó pagamos pagaron", "pagar")
TRAVEL = [
    Verb("leave", "left", "salgo sales sale salimos salen", "salí saliste salió salimos salieron", "saldr"),
    Verb(
        "arrive", "arrived", "llego llegas llega llegamos llegan", "llegué llegaste llegó llegamos llegaron", "llegar"
    ),
]
HAPPEN = [
    Verb(
        "start",
        "started",
        "empiezo empiezas empieza empezamos empiezan",
        "empecé empezaste empezó empezamos empezaron",
        "empezar",
    ),
    Verb(
        "end",
        "ended",
        "termino terminas termina terminamos terminan",
        "terminé terminaste terminó terminamos terminaron",
        "terminar",
    ),
]
SERVE = [
    Verb("open", "opened", "abro abres abre abrimos abren", "abrí abriste abrió abrimos abrieron", "abrir"),
    Verb(
        "close", "closed", "cierro cierras cierra cerramos cierran", "cerré cerraste cerró cerramos cerraron", "cerrar"
    ),
]

SPEAKERS = [  # the Spanish verb alone says who: the pronoun is left out
    (Phrase("I", ""), FIRST),
    (Phrase("you", ""), SECOND),
    (Phrase("we", ""), FIRST_PLURAL),
]
OTHERS = [
    (Phrase("he", "él"), THIRD),
    (Phrase("she", "ella"), THIRD),
    (Phrase("they", "ellos"), THIRD_PLURAL),
    (Phrase("Ana", "Ana"), THIRD),
    (Phrase("Pedro", "Pedro"), THIRD),
    (Phrase("Ana and Pedro", "Ana y Pedro"), THIRD_PLURAL),
    (Phrase("my sister", "mi hermana"), THIRD),
    (Phrase("my brother", "mi hermano"), THIRD),
    (Phrase("your parents", "tus padres"), THIRD_PLURAL),
    (Phrase("the girls", "las chicas"), THIRD_PLURAL),
]
DETERMINERS = [  # English singular and plural; Spanish m and f singular, m and f plural
    ("the the", "el la los las"),
    ("this these", "este esta estos estas"),
    ("that those", "ese esa esos esas"),
    ("my my", "mi mi mis mis"),
    ("your your", "tu tu tus tus"),
    ("his his", "su su sus sus"),
    ("our our", "nuestro nuestra nuestros nuestras"),
]

WEEKDAYS = table(
    Phrase,
    "Monday lunes; Tuesday martes; Wednesday miércoles; Thursday jueves; Friday viernes; Saturday sábado; "
    "Sunday domingo",
)
MONTHS = table(
    Phrase,
    "January enero; February febrero; March marzo; April abril; May mayo; June junio; July julio; August agosto; "
    "September septiembre; October octubre; November noviembre; December diciembre",
)
DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
