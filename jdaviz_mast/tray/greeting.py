"""What greets a user whose imports were interrupted in an earlier session."""

from ipyvuetify import VuetifyTemplate
from traitlets import Int, List, Unicode

from jdaviz_mast.tray.words import counted, cut

__all__ = ["Greeting"]

_MOST = 3


class Greeting(VuetifyTemplate):
    """A message that can be put aside, with a button to go on with what was interrupted.

    Parameters
    ----------
    on_resume : callable
        Called with the IDs of the jobs to resume, a list; must not wait.
    """

    template_file = __file__, "greeting.vue"

    text = Unicode("").tag(sync=True)
    titles = List().tag(sync=True)
    count = Int(0).tag(sync=True)

    def __init__(self, on_resume):
        super().__init__()
        self._on_resume, self._jobs = on_resume, []

    def show(self, jobs):
        """Greet with some jobs, pairs of ID and title, newest first; with none, say nothing."""
        self._jobs = [job_id for job_id, _ in jobs]
        titles = [cut(title, 120) for _, title in jobs]
        with self.hold_sync():
            if len(jobs) == 1:
                self.text = (
                    f"The import of {titles[0]} was interrupted when the application ended. "
                    "What has come is kept."
                )
            elif jobs:
                self.text = (
                    f"{counted(len(jobs), 'import')} were interrupted when the application ended. "
                    "What has come is kept."
                )
            self.titles = titles[:_MOST] if len(jobs) > 1 else []
            self.count = len(jobs)

    def drop(self, job_id):
        """Say nothing more of a job: it was resumed or removed in another way."""
        if job_id in self._jobs:
            self.show([])

    def vue_resume(self, what):
        """Resume the newest, or ``"all"``."""
        jobs = self._jobs if what == "all" else self._jobs[:1]
        self.show([])
        self._on_resume(jobs)

    def vue_not_now(self, _=None):
        """Put it aside for this session."""
        self.show([])
