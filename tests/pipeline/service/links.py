"""Links with a password, and other texts with one."""

from hypothesis import strategies as st

SECRET = "hunter2"
anything = st.text(st.sampled_from("ab1@:/?&=#%\n") | st.characters(exclude_categories=["C"]), max_size=12)
secrets = st.builds(lambda before, after: before + SECRET + after, anything, anything)
users = anything.map(lambda text: text.replace(":", ""))


@st.composite
def links_with_a_password(draw: st.DrawFn) -> str:
    scheme = draw(st.sampled_from(["rtsp", "http", "https", "rtsp+tls", "h.264-x"]))
    path = draw(st.sampled_from(["", "/", "/stream1", "/a?channel=1&x=y", "/user@host"]))
    return f"{scheme}://{draw(users)}:{draw(secrets)}@192.168.1.2:554{path}"
