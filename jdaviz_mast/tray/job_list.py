"""The list of imports: the page gets one page of jobs, and one of the files of one of them."""

from ipyvuetify import VuetifyTemplate
from traitlets import Bool, Dict, Int, List, Unicode

from jdaviz_mast.errors import FileProblem
from jdaviz_mast.tray.folder import can_show_folders, show_folder
from jdaviz_mast.tray.job_rows import FILES_PER_PAGE, JOBS_PER_PAGE
from jdaviz_mast.tray.job_watch import JobWatch

__all__ = ["JobList"]


class JobList(VuetifyTemplate):
    """The jobs of the download folder, newest first, with what can be done with each.

    Parameters
    ----------
    mast : `jdaviz_mast.Mast`
    owner : `jdaviz_mast.viewer.owner_thread.OwnerThread`
    outcome_of : callable
        Called with a job ID; returns what became of its layers, or None.
    on_cancel, on_resume, on_remove : callable
        Called with the ID of a job whose button was pressed; must not wait.
    """

    template_file = __file__, "job_list.vue"

    rows = List().tag(sync=True)
    total = Int(0).tag(sync=True)
    page = Int(1).tag(sync=True)
    per_page = Int(JOBS_PER_PAGE).tag(sync=True)
    open_job = Unicode("").tag(sync=True)
    detail = Dict().tag(sync=True)
    files = List().tag(sync=True)
    files_page = Int(1).tag(sync=True)
    files_per_page = Int(FILES_PER_PAGE).tag(sync=True)
    files_total = Int(0).tag(sync=True)
    badges = Dict().tag(sync=True)  # job ID to what the archive has done since, in a word
    error = Unicode("").tag(sync=True)
    offers = List().tag(sync=True)  # of the menu of each job
    has_file_manager = Bool(False).tag(sync=True)

    def __init__(self, mast, owner, *, outcome_of, on_cancel, on_resume, on_remove, on_greeting):
        super().__init__(has_file_manager=can_show_folders())
        self._on_cancel, self._on_resume, self._on_remove = on_cancel, on_resume, on_remove
        self._on_offer = None
        self.watch = JobWatch(
            mast, owner, outcome_of=outcome_of, show=self._show, greet=on_greeting
        )

    def _show(self, snapshot):
        # One message to the page, with what has changed and nothing else.
        with self.hold_sync():
            for name, value in snapshot.items():
                setattr(self, name, value)

    def offer(self, offers, call):
        """Put something into the menu of every job.

        Parameters
        ----------
        offers : sequence of (str, str, str)
            Name, title, and the name of a Material Design icon.
        call : callable
            Called with name and job ID when it was chosen; must not wait.
        """
        self._on_offer = call
        names = ("name", "title", "icon")
        self.offers = [dict(zip(names, offer, strict=True)) for offer in offers]

    def say(self, error):
        """Show a sentence above the list; empty for none."""
        self.error = error

    # From the page

    def vue_toggle(self, job_id):
        """Unfold a job, or fold it up."""
        known = {row["id"] for row in self.rows}
        unfold = job_id if job_id in known and job_id != self.open_job else ""
        with self.hold_sync():
            self.open_job, self.detail, self.files = unfold, {}, []
            self.files_total = 0
        self.watch.look(open_job=unfold)

    def vue_turn_page(self, page):
        """Show another page of jobs."""
        if isinstance(page, int):
            self.watch.look(page=page)

    def vue_turn_files(self, page):
        """Show another page of files."""
        if isinstance(page, int):
            self.watch.look(files_page=page)

    def vue_cancel(self, job_id):
        """Stop a job."""
        self._on_cancel(job_id)

    def vue_resume(self, job_id):
        """Go on with a job, or try again what failed."""
        self._on_resume(job_id)

    def vue_remove(self, job_id):
        """Forget a job; the page has asked before."""
        self._on_remove(job_id)

    def vue_make(self, asked):
        """Do what was chosen in the menu of a job."""
        name, job_id = asked.get("name"), asked.get("id")
        known = {row["id"] for row in self.rows}
        if name in {offer["name"] for offer in self.offers} and job_id in known:
            self._on_offer(name, job_id)

    def vue_show_folder(self, _=None):
        """Show the folder of the job that is unfolded."""
        try:
            show_folder(self.detail.get("folder", ""))
        except FileProblem as error:
            self.say(str(error))
