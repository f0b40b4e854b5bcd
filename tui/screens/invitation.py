"""The code that a new member of staff comes in with. It is shown once, and stands nowhere but on this page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from tui.api.secret import Secret
from tui.screens.person_page import PersonPage
from tui.widgets.blocks import Attention, Block, Gap, Pair, Paragraph, Title
from tui.widgets.standing import role_name

if TYPE_CHECKING:
    from server.contract.access import Invitation
    from tui.screens.people import PeopleSection


class InvitationPage(PersonPage):
    """Shows a code until it is closed; the copy key takes it along."""

    def __init__(self, section: PeopleSection, subject: str, invitation: Invitation) -> None:
        super().__init__(section, subject)
        self._code = Secret(invitation.code or "")
        self._blocks = self._told(invitation)

    def _told(self, invitation: Invitation) -> list[Block]:
        desk, user = self.section.desk, invitation.user
        until = f"{desk.times.full(invitation.expires_at)} ({desk.times.ago(invitation.expires_at)})"
        return [
            Title(
                text=f"Invitation for {user.name or user.email or 'somebody'}", notes=(role_name(user.role),)
            ),
            Gap(),
            Attention(
                text="The code is shown once. Give it to them in a way that you trust.",
                hint=f"{desk.key('copy')} copy it   {desk.key('close')} done: it is not shown again",
                style="warning",
            ),
            Gap(),
            Pair(label="Code", value=invitation.code or "it was shown before", style="strong"),
            Pair(label="Good until", value=f"{until}, and for one use"),
            Gap(),
            Paragraph(
                text="They run `shopbell join` and type it there. A new code ends this one.", style="muted"
            ),
        ]

    def compose(self) -> ComposeResult:
        """The page."""
        yield self.text

    def on_mount(self) -> None:
        """Show it, and take the focus."""
        self.text.show(self._blocks, top=True)
        self._blocks = []
        self.take_focus()

    def copied(self) -> tuple[str, str]:
        """The code."""
        return self._code.reveal(), "The code was sent to your terminal's clipboard"
