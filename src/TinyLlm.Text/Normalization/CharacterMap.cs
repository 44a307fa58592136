using System.Buffers.Binary;
using System.Text;

namespace TinyLlm.Text.Normalization;

/// <summary>
/// SentencePiece's precompiled character map: a double-array trie over UTF-8 whose values are places in a list of replacements, each ended by a zero byte.
/// At each place the longest key is replaced, as SentencePiece itself does.
/// </summary>
/// <remarks>
/// The tokenizers library takes the shortest key of a grapheme and drops what is left of it, so it loses marks that SentencePiece keeps. On single
/// characters, and wherever no grapheme has a key that is a prefix of another, the two are the same.
/// Trie units, from the darts-clone library: bit 31 marks a leaf's value (the low 31 bits); otherwise bits 0 to 7 are the label, bit 8 says whether a leaf hangs here,
/// and bits 10 to 30 are the offset, shifted by a further 8 when bit 9 is set.
/// </remarks>
internal sealed class CharacterMap : Normalizer
{
    private const uint LabelMask = (1u << 31) | 0xFF;

    private readonly uint[] units;
    private readonly byte[] replacements;

    public CharacterMap(ReadOnlySpan<byte> map)
    {
        if (map.Length < 8) throw Bad("it is shorter than its header and one unit");
        uint trieBytes = BinaryPrimitives.ReadUInt32LittleEndian(map);
        if (trieBytes == 0 || trieBytes % 4 != 0 || trieBytes > map.Length - 4) throw Bad($"its trie of {trieBytes} bytes does not fit");
        units = new uint[trieBytes / 4];
        for (int i = 0; i < units.Length; i++) units[i] = BinaryPrimitives.ReadUInt32LittleEndian(map[(4 + (i * 4))..]);
        replacements = map[(4 + (int)trieBytes)..].ToArray();
        if (replacements.Length > 0 && replacements[^1] != 0) throw Bad("its last replacement has no end");
    }

    public override string Normalize(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        MemoryStream result = new(utf8.Length);
        for (int at = 0; at < utf8.Length;)
        {
            if (FindLongest(utf8.AsSpan(at)) is { } found)
            {
                int length = replacements.AsSpan(found.Replacement).IndexOf((byte)0);
                result.Write(replacements, found.Replacement, length);
                at += found.KeyBytes;
            }
            else
            {
                Rune.DecodeFromUtf8(utf8.AsSpan(at), out _, out int length);
                result.Write(utf8, at, length);
                at += length;
            }
            TokenizerLimits.CheckGrowth(result.Length, utf8.Length);
        }
        return Encoding.UTF8.GetString(result.GetBuffer(), 0, (int)result.Length);
    }

    /// <summary>The longest key at the start of <paramref name="utf8"/>. Every place is checked, as the trie may point anywhere.</summary>
    private (int KeyBytes, int Replacement)? FindLongest(ReadOnlySpan<byte> utf8)
    {
        (int, int)? longest = null;
        uint node = Offset(units[0]);
        for (int at = 0; at < utf8.Length; at++)
        {
            if (utf8[at] == 0) return longest;
            node ^= utf8[at];
            if (node >= units.Length) return longest;
            uint unit = units[node];
            if ((unit & LabelMask) != utf8[at]) return longest;
            node ^= Offset(unit);
            if ((unit & (1 << 8)) == 0) continue;
            if (node >= units.Length) return longest;
            uint place = units[node] & ~(1u << 31);
            bool endsCharacter = at + 1 == utf8.Length || (utf8[at + 1] & 0xC0) != 0x80;
            if (place < replacements.Length && endsCharacter) longest = (at + 1, (int)place);
        }
        return longest;
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & (1u << 9)) >> 6);

    private static TokenizerFormatException Bad(string why) => new(TokenizerFormatError.BadCharacterMap, $"the precompiled character map is malformed: {why}");
}
