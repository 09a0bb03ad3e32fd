"""`/step`: the step page is the app's first, at `/`; whoever types its name is taken there, with all of its address."""

from __future__ import annotations

import streamlit as st

st.switch_page("pages/lab/step.py", query_params=st.query_params.to_dict())
