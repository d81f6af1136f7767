"""What openfootball calls the same thing: countries by the code of a league file, and clubs spelt in two ways.

From 2020/21 on the files give many clubs their full name. An ending FC, AFC or CF is not part of a club's id (no two
clubs here differ by it alone); what that does not settle is listed here, name by name. Clubs founded anew after they
had gone under (Parma, Reggina, Vicenza) are two clubs.
"""

COUNTRIES = {
    "at": "AUT", "be": "BEL", "ch": "SUI", "cz": "CZE", "de": "GER", "en": "ENG", "es": "ESP", "fr": "FRA",
    "gr": "GRE", "it": "ITA", "nl": "NED", "pt": "POR", "ru": "RUS", "sco": "SCO", "tr": "TUR",
}  # fmt: skip

# The spelling since 2020/21, without an ending FC, and the one before.
SPELLINGS = {
    "Bayer 04 Leverkusen": "Bayer Leverkusen",
    "Borussia Mönchengladbach": "Bor. Mönchengladbach",
    "FC Bayern München": "Bayern München",
    "SV Werder Bremen": "Werder Bremen",
    "SpVgg Greuther Fürth 1903": "SpVgg Greuther Fürth",
    "TSG 1899 Hoffenheim": "1899 Hoffenheim",
    "VfL Bochum 1848": "VfL Bochum",
    "Club Atlético de Madrid": "Atlético Madrid",
    "Deportivo Alavés": "CD Alavés",
    "RC Celta de Vigo": "RC Celta",
    "RCD Espanyol de Barcelona": "Espanyol Barcelona",
    "Rayo Vallecano de Madrid": "Rayo Vallecano",
    "Real Betis Balompié": "Real Betis",
    "Real Sociedad de Fútbol": "Real Sociedad",
    "Ascoli Picchio": "Ascoli Calcio",
    "Atalanta BC": "Atalanta",
    "Bologna FC 1909": "Bologna",
    "FC Bari 1908": "AS Bari",
    "FC Internazionale Milano": "Inter",
    "SS Lazio": "Lazio Roma",
    "UC Sampdoria": "Sampdoria",
    "US Avellino": "AS Avellino",
    "US Sassuolo Calcio": "Sassuolo Calcio",
}
