using System.Text;

namespace TinyLlm.Text.Decoding;

/// <summary>The last stage: collects text until it is taken.</summary>
internal sealed class TextStage() : DecodeStage(null)
{
    private readonly StringBuilder text = new();

    public override void Push(string text) => this.text.Append(text);

    public string Take()
    {
        string taken = text.ToString();
        text.Clear();
        return taken;
    }
}
