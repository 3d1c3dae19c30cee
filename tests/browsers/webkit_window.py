#!/usr/bin/python3
"""A window of WebKitGTK as large as a phone, with a profile that outlives it: WebKitWebDriver starts it, and a test drives it.

Debian's own MiniBrowser forgets everything when it is driven. Runs in the system's Python, which has GTK.
"""

import os
import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2  # noqa: E402

WIDTH, HEIGHT = 390, 844
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)


def main() -> None:
    profile = os.environ["LANYARD_PROFILE"]
    kept = WebKit2.WebsiteDataManager(base_data_directory=f"{profile}/data", base_cache_directory=f"{profile}/cache")
    browser = WebKit2.WebContext.new_with_website_data_manager(kept)
    browser.get_cookie_manager().set_persistent_storage(f"{profile}/cookies.db", WebKit2.CookiePersistentStorage.SQLITE)
    browser.set_automation_allowed("--automation" in sys.argv)
    browser.connect("automation-started", lambda _, session: begin(browser, session))
    Gtk.main()


def begin(browser: WebKit2.WebContext, session: WebKit2.AutomationSession) -> None:
    about = WebKit2.ApplicationInfo()
    about.set_name("MiniBrowser")  # the only name that the driver takes
    about.set_version(2, 50, 0)
    session.set_application_info(about)
    session.connect("create-web-view", lambda _: window(browser))


def window(browser: WebKit2.WebContext) -> WebKit2.WebView:
    settings = WebKit2.Settings()
    settings.set_user_agent(IPHONE)
    view = WebKit2.WebView(web_context=browser, settings=settings, is_controlled_by_automation=True)
    frame = Gtk.Window()
    frame.set_decorated(False)
    frame.set_default_size(WIDTH, HEIGHT)
    frame.add(view)
    frame.show_all()
    view.connect("close", lambda *_: frame.destroy())
    return view


main()
