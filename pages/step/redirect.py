"""Redirect from `/step` to the step page, which is the default page at `/`; the URL query is preserved."""

from __future__ import annotations

import streamlit as st

from pages.shell import navigation

st.switch_page(navigation.path(navigation.STEP), query_params=st.query_params.to_dict())
