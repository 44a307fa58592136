using System.Text;
using TinyLlm.Text.Models;

namespace TinyLlm.Text.Decoding;

/// <summary>
/// Reads tokens as bytes (<see cref="ByteAlphabet"/>) and these as UTF-8; what is invalid becomes U+FFFD. A token with a character that stands for no byte, such as
/// an added token with a space in it, is its own UTF-8. Bytes of an unfinished character are kept.
/// </summary>
internal sealed class ByteLevelStage(DecodeStage next) : DecodeStage(next)
{
    private readonly Decoder decoder = Encoding.UTF8.GetDecoder();

    public override void Push(string text) => PushBytes(BytesOf(text), flush: false);

    public override void End()
    {
        PushBytes([], flush: true);
        base.End();
    }

    /// <summary>The bytes that a token stands for.</summary>
    public static byte[] BytesOf(string token)
    {
        byte[] bytes = new byte[token.Length];
        for (int i = 0; i < token.Length; i++)
        {
            if (ByteAlphabet.ByteOf(token[i]) is not { } value) return Encoding.UTF8.GetBytes(token);
            bytes[i] = value;
        }
        return bytes;
    }

    private void PushBytes(byte[] bytes, bool flush)
    {
        char[] chars = new char[Encoding.UTF8.GetMaxCharCount(bytes.Length)];
        int count = decoder.GetChars(bytes, chars, flush);
        if (count > 0) Next.Push(new string(chars, 0, count));
    }
}
