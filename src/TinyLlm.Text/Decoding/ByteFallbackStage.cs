using System.Text;
using TinyLlm.Text.Models;

namespace TinyLlm.Text.Decoding;

/// <summary>
/// Turns each run of byte tokens into text. As in the reference, a run that is not valid UTF-8 as a whole becomes one U+FFFD for each byte,
/// so a run is kept until it ends.
/// </summary>
internal sealed class ByteFallbackStage(DecodeStage next) : DecodeStage(next)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly List<byte> run = [];

    public override void Push(string text)
    {
        if (ByteTokens.TryParse(text, out byte value))
        {
            run.Add(value);
            return;
        }
        PushRun();
        Next.Push(text);
    }

    public override void End()
    {
        PushRun();
        base.End();
    }

    private void PushRun()
    {
        if (run.Count == 0) return;
        string text;
        try
        {
            text = Strict.GetString([.. run]);
        }
        catch (DecoderFallbackException)
        {
            text = new string('\uFFFD', run.Count);
        }
        run.Clear();
        Next.Push(text);
    }
}
