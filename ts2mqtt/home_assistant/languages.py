"""What Home Assistant shows, in the user's language; ids, topics and payloads are the same in every one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """`phrases` by what the table of entities calls something, or by a word that stands in a payload."""

    phrases: Mapping[str, str]

    def say(self, phrase: str) -> str:
        """A phrase of the table, or a word of a payload, as this language has it."""
        return self.phrases.get(phrase, phrase)


ENGLISH = Language(
    {
        # The table of entities is written in English; only a payload's words may need another form.
        "on_target_completion": "on target completion",
    }
)

# As N.I.N.A. and those who use it speak in German: what is imaged is an "Objekt", an exposure an "Aufnahme".
GERMAN = Language(
    {
        # Devices
        "Bridge": "Bridge",
        "Profile": "Profil",
        "Project": "Projekt",
        "Target": "Objekt",
        "Rig": "Rig",
        # The same in brackets after a name
        "profile": "Profil",
        "project": "Projekt",
        "target": "Objekt",
        # The bridge
        "Connection": "Verbindung",
        "Version": "Version",
        "Rigs online": "Rigs online",
        "Last problem": "Letztes Problem",
        "Log level": "Protokollstufe",
        "Restart discovery": "Erkennung neu starten",
        # Rigs
        "API": "API",
        "Imaging": "Belichtung",
        "Activity": "Aktivität",
        "Active profile": "Aktives Profil",
        "Current target": "Aktuelles Objekt",
        "Current target ends": "Ende des aktuellen Objekts",
        "Next target": "Nächstes Objekt",
        "Next target starts": "Beginn des nächsten Objekts",
        "Night plan start": "Beginn des Nachtplans",
        "Night plan end": "Ende des Nachtplans",
        "Planned imaging": "Geplante Aufnahmezeit",
        "Exposures tonight": "Aufnahmen heute Nacht",
        "Integration tonight": "Belichtungszeit heute Nacht",
        "Night plan": "Nachtplan",
        "Imaged last night": "Aufnahmezeit letzte Nacht",
        "Accepted last night": "Akzeptiert letzte Nacht",
        "Last night": "Letzte Nacht",
        "Session": "Session",
        "Refresh": "Aktualisieren",
        "Refresh plan": "Nachtplan aktualisieren",
        "Target Scheduler version": "Target-Scheduler-Version",
        "API version": "API-Version",
        # Rigs whose N.I.N.A. is heard
        "Safety": "Sicherheit",
        "Sequence running": "Sequenz läuft",
        "Waiting until": "Wartet bis",
        "Last image HFR": "HFR des letzten Bildes",
        "Last image stars": "Sterne des letzten Bildes",
        "Last image guiding": "Guiding des letzten Bildes",
        "Live": "Live",
        "Advanced API version": "Advanced-API-Version",
        # Profiles, projects and targets
        "Active": "Aktiv",
        "Active projects": "Aktive Projekte",
        "State": "Status",
        "Priority": "Priorität",
        "Completion": "Fortschritt",
        "Accepted exposures": "Akzeptierte Aufnahmen",
        "Desired exposures": "Gewünschte Aufnahmen",
        "Accepted integration": "Akzeptierte Belichtungszeit",
        "Remaining integration": "Verbleibende Belichtungszeit",
        "Clear nights to go": "Klare Nächte bis zum Ende",
        "Scheduled start": "Geplanter Beginn",
        "Acquired": "Aufgenommen",
        "Scheduled end": "Geplantes Ende",
        "Moon separation": "Abstand vom Mond",
        "Transit": "Meridiandurchgang",
        "Right ascension": "Rektaszension",
        "Declination": "Deklination",
        "Rotation": "Rotation",
        # Planning settings of a project
        "Minimum time": "Mindestdauer",
        "Meridian window": "Meridianfenster",
        "Minimum altitude": "Mindesthöhe",
        "Maximum altitude": "Maximale Höhe",
        "Custom horizon": "Eigener Horizont",
        "Horizon offset": "Horizont-Offset",
        "Filter switch frequency": "Filterwechsel alle",
        "Dither every": "Dithern alle",
        "Grader": "Bildbewertung",
        "Mosaic": "Mosaik",
        "Flats handling": "Flats",
        "Flats period": "Flats alle",
        "Smart exposure order": "Intelligente Reihenfolge",
        # Exposure plans, after the name of theirs
        "Exposure": "Aufnahme",
        "completion": "Fortschritt",
        "accepted": "akzeptiert",
        "pending": "unbewertet",
        "rejected": "verworfen",
        "acceptance": "Akzeptanz",
        "remaining": "verbleibend",
        "HFR": "HFR",
        "FWHM": "FWHM",
        "eccentricity": "Exzentrizität",
        # What a percent is of
        "accepted of desired exposures": "akzeptierte von gewünschten Aufnahmen",
        # Units
        "exposures": "Aufnahmen",
        "nights": "Nächte",
        "projects": "Projekte",
        "rigs": "Rigs",
        "stars": "Sterne",
        # Activity
        "imaging": "belichtet",
        "waiting": "wartet",
        "idle": "untätig",
        "offline": "offline",
        # States of a project
        "draft": "Entwurf",
        "active": "aktiv",
        "inactive": "inaktiv",
        "closed": "abgeschlossen",
        # Priorities
        "low": "niedrig",
        "normal": "normal",
        "high": "hoch",
        # Flats
        "off": "aus",
        "on_target_completion": "nach Abschluss des Objekts",
        "immediately": "sofort",
        "periodically": "regelmäßig",
    }
)

LANGUAGES: Mapping[str, Language] = {"en": ENGLISH, "de": GERMAN}
"""By the code that the configuration has for it."""
