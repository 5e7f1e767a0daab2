"""LangChain's own standard tests of a chat model, for ChatOpenAI and a published flow, whose abilities the flags are.

`test_standards.py` runs it, in the interpreter of the clients.
"""

import os
import struct
import zlib

import httpx
import pytest
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

ABLE = os.environ["ABLE"].split()


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# What the tests would fetch from other sites, which are not reached from everywhere: a white pixel, a moment's silence.
PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\xff"))
    + _chunk(b"IEND", b"")
)
WAV = (
    b"RIFF"
    + struct.pack("<I", 36)
    + b"WAVEfmt "
    + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    + b"data\0\0\0\0"
)
PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.fixture(autouse=True)
def no_other_site(monkeypatch):
    def get(url, **_):
        content = PDF if url.endswith(".pdf") else WAV if url.endswith(".wav") else PNG
        return httpx.Response(200, content=content, request=httpx.Request("GET", url))

    monkeypatch.setattr(httpx, "get", get)


class TestChatOpenAI(ChatModelIntegrationTests):
    """The flags say what the flow can do."""

    @property
    def chat_model_class(self):
        return ChatOpenAI

    @property
    def chat_model_params(self):
        return {
            "model": os.environ["MODEL"],
            "base_url": os.environ["BASE_URL"],
            "api_key": os.environ["API_KEY"],
            "stream_usage": True,
        }

    @property
    def has_tool_calling(self):
        return "tools" in ABLE

    @property
    def has_tool_choice(self):
        return "tools" in ABLE

    @property
    def has_structured_output(self):
        return "structured_output" in ABLE

    @property
    def structured_output_kwargs(self):
        return {"method": "json_schema"}

    @property
    def supports_json_mode(self):
        return "structured_output" in ABLE

    @property
    def supports_image_inputs(self):
        return "images" in ABLE

    @property
    def supports_image_urls(self):
        return False  # the standard one is on a site that is not reached from everywhere

    @property
    def supports_audio_inputs(self):
        return "audio" in ABLE

    @property
    def supports_pdf_inputs(self):
        return "files" in ABLE

    @property
    def supports_image_tool_message(self):
        return "images" in ABLE

    @property
    def supports_anthropic_inputs(self):
        return False
