using System.Text;
using TinyLlm.Text.Models;

namespace TinyLlm.Text.Decoding;

/// <summary>
/// The bytes that single tokens give in the middle of a text. Byte-level tokens and byte tokens stand for bytes, which may be a part of a character; any
/// other token is decoded between two neighbours, so that what decoding does at the ends of a text does not touch it.
/// </summary>
internal sealed class TokenSpelling
{
    private const string Neighbour = "a";

    private readonly Func<TextStage, DecodeStage> _start;
    private readonly bool _isByteLevel, _hasByteTokens;
    private readonly string _rest;

    public TokenSpelling(Func<TextStage, DecodeStage> start)
    {
        _start = start;
        _isByteLevel = start(new TextStage()) is ByteLevelStage;
        _hasByteTokens = Decode(ByteTokens.Name((byte)'~')) == "~";
        _rest = Decode(Neighbour, Neighbour)[Neighbour.Length..];
    }

    public byte[] Bytes(string token)
    {
        if (_isByteLevel) return ByteLevelStage.BytesOf(token);
        if (_hasByteTokens && ByteTokens.TryParse(token, out byte value)) return [value];
        string text = Decode(Neighbour, token, Neighbour);
        return Encoding.UTF8.GetBytes(text[Neighbour.Length..^_rest.Length]);
    }

    private string Decode(params ReadOnlySpan<string> tokens)
    {
        TextStage text = new();
        DecodeStage first = _start(text);
        foreach (string token in tokens) first.Push(token);
        first.End();
        return text.Take();
    }
}
