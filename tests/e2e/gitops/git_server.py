"""A Git server for the fleet's repository, open to all. Runs in a pod, with dulwich beside it."""

from dulwich.repo import Repo
from dulwich.server import UploadPackHandler
from dulwich.web import main

# dulwich insists on clients that take thin packs. Flux's takes none, and needs none: it fetches a
# commit without what was before.
UploadPackHandler.required_capabilities = classmethod(lambda cls: ())

repository = Repo.init_bare("git", mkdir=True)
repository.refs.set_symbolic_ref(b"HEAD", b"refs/heads/main")
main(["web", "--listen_address=0.0.0.0", "git"])
