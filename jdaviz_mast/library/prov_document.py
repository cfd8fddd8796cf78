"""The tree of origins as a document of the W3C's PROV data model.

Things are entities (https://www.w3.org/TR/prov-dm/#term-entity): a layer is derived from its file,
the file is a specialization of the product, a product is derived from its exposures and attributed
to the archive, an observation to the program's investigator. What made them are activities: the
fetch, the calibration, the observing.
"""

import re
from urllib.parse import quote

from prov.constants import PROV_ROLE, PROV_TYPE
from prov.model import ProvDocument

__all__ = ["document_of"]

#: Where a product of MAST's is: its name behind ``mast:`` makes this its address.
_MAST = "https://mast.stsci.edu/api/v0.1/Download/file?uri=mast:"
_OBSERVATION = "https://mast.stsci.edu/portal/Mashup/Clients/Mast/Portal.html#"
_OWN = "urn:jdaviz-mast:"
_TYPES = {"layer": "Layer", "file": "File", "product": "Product", "observation": "Observation",
          "program": "Program", "data": "Dataset", "exposures": "Association"}  # fmt: skip


def document_of(root):
    """Return a tree of origins as a `prov.model.ProvDocument`.

    Parameters
    ----------
    root : `jdaviz_mast.library.provenance_tree.Origin`
    """
    return _Writer().write(root)


class _Writer:
    def __init__(self):
        self._document = document = ProvDocument()
        self._spaces = {
            "mast": document.add_namespace("mast", _MAST),
            "obs": document.add_namespace("obs", _OBSERVATION),
            "doi": document.add_namespace("doi", "https://doi.org/"),
            "own": document.add_namespace("jdm", _OWN),
        }
        self._made, self._seen = {}, set()

    def write(self, root):
        self._visit(root)
        return self._document

    def _visit(self, origin):
        """Enter a thing and all behind it; return its entity."""
        entity = self._entity(origin)
        for one in origin.origins:
            if one.kind == "exposures":
                self._combine(entity, one, origin)
            else:
                self._relate(origin, entity, one, self._visit(one))
        return entity

    def _entity(self, origin):
        name = self._name(origin)
        if name not in self._made:
            space = self._spaces["own"]
            attributes = {
                PROV_TYPE: space[_TYPES[origin.kind]],
                "prov:label": origin.name,
                **{space[_plain(key)]: value for key, value in origin.facts.items()},
            }
            self._made[name] = self._document.entity(name, attributes)
        return self._made[name]

    def _name(self, origin):
        name = origin.name
        if origin.kind == "product" and name.startswith("mast:"):
            return self._spaces["mast"][_quoted(name.removeprefix("mast:"))]
        if origin.kind == "observation":
            return self._spaces["obs"][_quoted(name)]
        if origin.kind == "data":
            return self._spaces["doi"][_quoted(name)]
        return self._spaces["own"][f"{origin.kind}/{_quoted(name)}"]

    def _relate(self, origin, entity, behind, source):
        document, kinds = self._document, (origin.kind, behind.kind)
        if not self._first(entity.identifier, source.identifier):
            return
        if kinds == ("file", "product"):
            document.specializationOf(entity, source)
            self._fetch(origin, entity, source)
        elif behind.kind == "observation":
            document.wasDerivedFrom(entity, source)
            document.wasAttributedTo(entity, self._archive())
        elif behind.kind == "program":
            self._observe(behind, entity, source)
        elif behind.kind == "data":
            document.hadMember(document.collection(source.identifier), entity)
        else:
            document.wasDerivedFrom(entity, source)

    def _fetch(self, origin, file, product):
        when = origin.facts.get("fetched", "").removesuffix(" UTC").replace(" ", "T") or None
        document = self._document
        activity = document.activity(
            self._spaces["own"][f"fetch/{_quoted(origin.name)}"], None, when,
            {PROV_TYPE: self._spaces["own"]["Fetch"]},
        )  # fmt: skip
        agent = self._agent("jdaviz-mast", "prov:SoftwareAgent")
        document.used(activity, product)
        document.wasGeneratedBy(file, activity)
        document.wasAssociatedWith(activity, agent)

    def _observe(self, program, observation, entity):
        document, facts = self._document, program.facts
        activity = document.activity(
            self._spaces["own"][f"observing/{_quoted(str(observation.label))}"], None, None,
            {PROV_TYPE: self._spaces["own"]["Observing"]},
        )  # fmt: skip
        document.wasGeneratedBy(observation, activity)
        document.used(activity, entity, other_attributes={PROV_ROLE: "program"})
        if "principal investigator" in facts:
            person = self._agent(facts["principal investigator"], "prov:Person")
            document.wasAssociatedWith(
                activity, person, other_attributes={PROV_ROLE: "principal investigator"}
            )  # fmt: skip
            document.wasAttributedTo(observation, person)

    def _combine(self, product, exposures, origin):
        """Enter what a product was made of, and the calibration that did it."""
        document, own = self._document, self._spaces["own"]
        activity = document.activity(
            own[f"calibration/{_quoted(origin.name)}"], None, None,
            {PROV_TYPE: own["Calibration"],
             **{own[_plain(key)]: value for key, value in exposures.facts.items()}},
        )  # fmt: skip
        document.wasGeneratedBy(product, activity)
        if exposures.name:
            association = self._entity(exposures)
            document.used(activity, association, other_attributes={PROV_ROLE: "association"})
        for exposure in exposures.origins:
            source = self._visit(exposure)
            role = {PROV_ROLE: exposure.facts.get("role") or "exposure"}
            document.used(activity, source, other_attributes=role)
            if self._first(product.identifier, source.identifier):
                document.wasDerivedFrom(product, source, activity)

    def _archive(self):
        return self._agent("Mikulski Archive for Space Telescopes", "prov:Organization")

    def _agent(self, name, kind):
        identifier = self._spaces["own"][f"agent/{_quoted(name)}"]
        if identifier not in self._made:
            self._made[identifier] = self._document.agent(
                identifier, {PROV_TYPE: self._document.valid_qualified_name(kind),
                             "prov:label": name},
            )  # fmt: skip
        return self._made[identifier]

    def _first(self, *pair):
        """Whether two things have not been related yet."""
        if pair in self._seen:
            return False
        self._seen.add(pair)
        return True


def _quoted(name):
    return quote(name, safe="/._-")


def _plain(key):
    return re.sub(r"\W+", "_", key)
