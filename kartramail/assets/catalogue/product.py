"""Products: what is bought, and what becomes of the payment."""

from kartramail.assets import variables as v
from kartramail.assets.notification_types import Kind, NotificationType
from kartramail.assets.variables import Variable

PRODUCT = Kind(
    "product",
    "Product",
    "Products",
    "product",
    "Getting started, the course",
    (
        NotificationType(
            "product.receipt",
            "Receipt",
            "When somebody has paid",
            (
                v.ORDER_NUMBER,
                v.ITEMS,
                Variable("total", "What was paid in all, with the currency", "€ 89.00"),
                Variable("tax", "The tax in it, with the currency", "€ 14.21"),
                Variable("paid_with", "How it was paid", "Card ending in 4242"),
                Variable("link", "Where to get what was bought", "https://example.com/orders"),
                Variable("invoice_link", "The invoice", "https://example.com/invoices/1042"),
            ),
        ),
        NotificationType(
            "product.refund",
            "Refund",
            "When money goes back to somebody",
            (
                v.ORDER_NUMBER,
                v.AMOUNT,
                Variable("paid_with", "Where the money goes", "Card ending in 4242"),
                Variable("reason", "Why, in a sentence", "You asked for it within 14 days."),
            ),
        ),
        NotificationType(
            "product.payment_failed",
            "Failed payment",
            "When a payment could not be taken",
            (
                v.ORDER_NUMBER,
                v.AMOUNT,
                Variable("reason", "Why, in a sentence", "The card has expired."),
                Variable("retry_on", "The day of the next try, in words", "21 March"),
                Variable("link", "Where to pay in another way", "https://example.com/payment/1042"),
            ),
        ),
        NotificationType(
            "product.subscription_cancelled",
            "Subscription cancelled",
            "When a subscription ends, or will",
            (
                Variable("ends_on", "The last day, in words", "31 March 2027"),
                Variable("link", "Where to take it up again", "https://example.com/plans"),
            ),
        ),
    ),
)
