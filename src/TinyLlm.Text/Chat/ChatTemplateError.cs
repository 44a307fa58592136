namespace TinyLlm.Text;

/// <summary>Why a chat template can't be used on a conversation. The set is closed.</summary>
public enum ChatTemplateError
{
    /// <summary>The template's source is beyond its bound.</summary>
    SourceTooLarge,

    /// <summary>The template's source is not well-formed, or uses something that is not supported.</summary>
    BadSyntax,

    /// <summary>The template, or what it works on, is nested beyond the bound.</summary>
    TooDeep,

    /// <summary>The template did something that its data does not allow, such as calling what is no function.</summary>
    BadOperation,

    /// <summary>The template itself refused the conversation (<c>raise_exception</c>).</summary>
    Refused,

    /// <summary>The template took more steps than allowed.</summary>
    TooManySteps,

    /// <summary>The text, or a value on the way to it, is beyond its bound.</summary>
    OutputTooLarge,

    /// <summary>The template took too long.</summary>
    TooSlow,
}
